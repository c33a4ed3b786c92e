package store

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// TokenID returns the id under which a session or refresh token is known
// everywhere inside logoutd: base64url(SHA-256(token)), unpadded, 43
// characters. The token itself is never stored, logged or published.
func TokenID(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// ValidTokenID reports whether id has the form that [TokenID] returns.
func ValidTokenID(id string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(id)
	return err == nil && len(b) == sha256.Size
}

// PushTokenID returns the id of a push token: the base64url of the SHA-256 of the
// base64url forms of provider and token, joined by a dot. Registrations with the
// same id are for the same installation of an app.
func PushTokenID(provider, token string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return TokenID(encode([]byte(provider)) + "." + encode([]byte(token)))
}

// PushRegistrationID returns the id of the one registration that a user's
// device may have with a provider for an app: the base64url of the SHA-256 of
// the base64url forms of tenant, user, device, app and provider, joined by
// dots. Registering the same five again replaces the push token.
func PushRegistrationID(r PushRegistration) string {
	parts := []string{r.User.TenantID, r.User.ID, r.DeviceID, r.AppID, r.Provider}
	for i, p := range parts {
		parts[i] = base64.RawURLEncoding.EncodeToString([]byte(p))
	}
	return TokenID(strings.Join(parts, "."))
}
