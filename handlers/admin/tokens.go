package admin

import (
	"context"
	"net/http"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/audit"
)

// token is a named token in JSON, without its secret.
type token struct {
	Name      string      `json:"name"`
	Role      access.Role `json:"role"`
	CreatedAt events.Time `json:"created_at"`
	CreatedBy string      `json:"created_by"`
}

func showToken(t access.Token) token {
	return token{t.Name, t.Role, events.At(t.CreatedAt), t.CreatedBy}
}

func (a *api) listTokens(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	list, err := a.Tokens.List(r.Context())
	return http.StatusOK, struct {
		Tokens []token `json:"tokens"`
	}{each(list, showToken)}, err
}

// createToken answers with the token, only this once. If the audit log cannot be
// written, it does not return the token, so that nobody has it.
func (a *api) createToken(w http.ResponseWriter, r *http.Request) (int, any, error) {
	o, err := body(w, r)
	if err != nil {
		return 0, nil, err
	}
	type named struct {
		Name string      `json:"name"`
		Role access.Role `json:"role"`
	}
	about := named{o.required("name", maxID), access.Role(o.required("role", maxID))}
	if err := o.done(); err != nil {
		return 0, nil, err
	}
	secret := ""
	err = a.act(r, func(ctx context.Context) (_ audit.Entry, err error) {
		secret, _, err = a.Tokens.Create(ctx, about.Name, about.Role, callerOf(r))
		return audit.Entry{Action: audit.ActionTokenCreate, Selection: subject(about)}, err
	})
	return http.StatusCreated, struct {
		named
		Token string `json:"token"`
	}{about, secret}, err
}

func (a *api) revokeToken(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	about := struct {
		Name string `json:"name"`
	}{r.PathValue("name")}
	return http.StatusNoContent, nil, a.act(r, func(ctx context.Context) (audit.Entry, error) {
		return audit.Entry{Action: audit.ActionTokenRevoke, Selection: subject(about)}, a.Tokens.Revoke(ctx, about.Name)
	})
}
