package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/logoutd/logoutd/internal/access"
)

// admit returns the caller if its token has the role. A call that does not exist
// has the role anybody: any valid token gets the 404.
func (a *api) admit(r *http.Request, role access.Role) (access.Caller, error) {
	token, shown := bearer(r)
	caller, known := access.Caller{}, false
	address := a.Proxies.Client(r).Addr
	if shown {
		var err error
		caller, err = a.Attempts.Authenticate(address, token)
		if errors.Is(err, access.ErrThrottled) {
			return caller, newProblem(http.StatusTooManyRequests, "too many invalid tokens from this address, or this invalid token was sent too often: try again in a second with a valid token")
		}
		known = err == nil
	}
	switch {
	case shown && !known && !a.tokensRead():
		return caller, newProblem(http.StatusServiceUnavailable, "the tokens have not been read from the broker yet: try again later")
	case !known:
		return caller, unauthorized(shown)
	case role != anybody && !caller.May(role):
		a.Attempts.Forbidden(address, caller)
		return caller, forbidden(caller, role)
	}
	return caller, nil
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

// unauthorized returns the challenge of RFC 6750, section 3: it has an error code
// only if the request has a token.
func unauthorized(shown bool) *problem {
	p := newProblem(http.StatusUnauthorized,
		"this call requires the header \"Authorization: Bearer <token>\" with a token created by an operator, or with the admin token: LOGOUTD_ADMIN_TOKEN, or the file admin.token in the data directory")
	p.challenge = `Bearer realm="logoutd"`
	if shown {
		p.Detail = "invalid or revoked token; the admin token is LOGOUTD_ADMIN_TOKEN, or in the file admin.token in the data directory"
		p.challenge += `, error="invalid_token"`
	}
	return p
}

func forbidden(caller access.Caller, role access.Role) *problem {
	p := newProblem(http.StatusForbidden,
		fmt.Sprintf("this call requires a token with the role %s; the token %q has the role %s", role, caller.Name, caller.Role))
	p.Type, p.Role = typeRole, role
	p.challenge = fmt.Sprintf(`Bearer realm="logoutd", error="insufficient_scope", scope=%q`, role)
	return p
}

type callerKey struct{}

// called returns the request with its caller.
func called(r *http.Request, caller access.Caller) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, caller))
}

// callerIn returns the caller.
func callerIn(r *http.Request) access.Caller {
	caller, _ := r.Context().Value(callerKey{}).(access.Caller)
	return caller
}

// callerOf returns the name of the caller.
func callerOf(r *http.Request) string { return callerIn(r).Name }
