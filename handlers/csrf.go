package handlers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
)

// CSRFToken returns the CSRF token of a session: the HMAC-SHA-256 of its id
// under the secret, base64url, unpadded, 43 characters. A browser sends it as
// X-CSRF-TOKEN. It never changes, needs no storage, and tells nothing of the
// session token.
func CSRFToken(secret []byte, sessionID string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(sessionID))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// validCSRFToken takes the same time wherever the token is wrong. Without a
// secret anybody could make one, and none is valid.
func validCSRFToken(secret []byte, sessionID, token string) bool {
	return len(secret) > 0 && token != "" && hmac.Equal([]byte(CSRFToken(secret, sessionID)), []byte(token))
}
