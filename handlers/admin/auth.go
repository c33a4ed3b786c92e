package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// authorized compares hashes, so that neither content nor length of the token
// shows in the time it takes.
func (a *api) authorized(r *http.Request) bool {
	presented, ok := bearer(r)
	want, got := sha256.Sum256([]byte(a.Token)), sha256.Sum256([]byte(presented))
	same := subtle.ConstantTimeCompare(want[:], got[:]) == 1
	return same && ok && a.Token != ""
}

// bearer returns the token of the one Authorization header (RFC 6750, section
// 2.1).
func bearer(r *http.Request) (token string, ok bool) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer")
}

// unauthorized challenges as RFC 6750, section 3 says: an error code only
// where there was a token.
func unauthorized(r *http.Request) *problem {
	p := newProblem(http.StatusUnauthorized,
		"this call wants the header \"Authorization: Bearer <admin token>\"; the token is LOGOUTD_ADMIN_TOKEN, or in the file admin.token of the data directory")
	p.challenge = `Bearer realm="logoutd"`
	if _, ok := bearer(r); ok {
		p.Detail = "the admin token is not the one of this server; it is LOGOUTD_ADMIN_TOKEN, or in the file admin.token of the data directory"
		p.challenge += `, error="invalid_token"`
	}
	return p
}
