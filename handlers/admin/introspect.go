package admin

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/logoutd/logoutd/store"
)

// introspection is the answer of RFC 7662, section 2.2. Times are in seconds
// since 1970. For an inactive token only Active is set.
type introspection struct {
	Active   bool   `json:"active"`
	Sub      string `json:"sub,omitempty"` // user id
	Sid      string `json:"sid,omitempty"` // the session; of a refresh token, the one that it is bound to
	DeviceID string `json:"device_id,omitempty"`
	AppID    string `json:"app_id,omitempty"`
	TenantID string `json:"tenant_id,omitempty"`
	Iat      int64  `json:"iat,omitempty"` // time of authentication
	Exp      int64  `json:"exp,omitempty"`
}

// introspect reports a token as inactive only if the store has answered.
func (a *api) introspect(w http.ResponseWriter, r *http.Request) {
	token, hint, err := introspectionRequest(w, r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	found, err := a.lookUp(ctx, store.TokenID(token), hint)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	answer(w, http.StatusOK, found)
}

// introspectionRequest reads the form of RFC 7662, section 2.1. It ignores
// unknown parameters and refuses duplicate ones (RFC 6749, section 3.1).
func introspectionRequest(w http.ResponseWriter, r *http.Request) (token, hint string, err error) {
	raw, err := readBody(w, r, maxBody, "send a form with one token")
	if err != nil {
		return "", "", err
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		return "", "", newProblem(http.StatusBadRequest, "the body is not a form (application/x-www-form-urlencoded)")
	}
	for _, name := range []string{"token", "token_type_hint"} {
		if len(form[name]) > 1 {
			return "", "", invalid(name, "given twice")
		}
	}
	token = form.Get("token")
	switch {
	case token == "":
		return "", "", invalid("token", "is required, in a form (application/x-www-form-urlencoded)")
	case len(token) > maxToken:
		return "", "", invalid("token", "must not be longer than %d bytes", maxToken)
	}
	return token, form.Get("token_type_hint"), nil
}

// lookUp looks for the type of token in the hint first, then for the other type.
func (a *api) lookUp(ctx context.Context, id, hint string) (introspection, error) {
	lookUps := []func(context.Context, string) (introspection, error){a.lookUpSession, a.lookUpRefreshToken}
	if hint == "refresh_token" {
		slices.Reverse(lookUps)
	}
	for _, lookUp := range lookUps {
		if found, err := lookUp(ctx, id); err != nil || found.Active {
			return found, err
		}
	}
	return introspection{}, nil
}

func (a *api) lookUpSession(ctx context.Context, id string) (introspection, error) {
	states, err := a.Store.Sessions(ctx, []string{id})
	if err != nil || !states[0].Active {
		return introspection{}, err
	}
	s := states[0].Session
	return active(s.User, s.ID, s.DeviceID, s.AppID, s.AuthenticatedAt, s.ExpiresAt), nil
}

func (a *api) lookUpRefreshToken(ctx context.Context, id string) (introspection, error) {
	states, err := a.Store.RefreshTokens(ctx, []string{id})
	if err != nil || !states[0].Active {
		return introspection{}, err
	}
	t := states[0].RefreshToken
	return active(t.User, t.SessionID, t.DeviceID, t.AppID, t.AuthenticatedAt, t.ExpiresAt), nil
}

func active(user store.User, sid, device, app string, from, until time.Time) introspection {
	return introspection{
		Active: true, Sub: user.ID, Sid: sid, DeviceID: device, AppID: app, TenantID: user.TenantID,
		Iat: from.Unix(), Exp: until.Unix(),
	}
}
