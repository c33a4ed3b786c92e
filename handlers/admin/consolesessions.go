package admin

import (
	"context"
	"errors"
	"net/http"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/audit"
)

// consoleSession is a login to the console. Its id opens nothing.
type consoleSession struct {
	ID        string      `json:"id"`
	TokenName string      `json:"token_name"`
	Role      access.Role `json:"role"`
	Address   string      `json:"address"`
	CreatedAt events.Time `json:"created_at"`
	SeenAt    events.Time `json:"seen_at"`
}

func showConsoleSession(s access.Session) consoleSession {
	return consoleSession{s.ID, s.Token, s.Role, s.Address, events.At(s.CreatedAt), events.At(s.SeenAt)}
}

// listConsoleSessions answers with the sessions that the caller can end.
func (a *api) listConsoleSessions(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	return http.StatusOK, struct {
		Sessions []consoleSession `json:"sessions"`
		Stale    bool             `json:"stale"`
	}{each(a.Sessions.List(callerIn(r)), showConsoleSession), !a.Sessions.Complete()}, nil
}

// endConsoleSession works during an outage of the broker too, as a logout does:
// the session is over in this process at once, and the audit log gets the entry
// later.
func (a *api) endConsoleSession(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	ended, ok := a.Sessions.EndFor(r.Context(), callerIn(r), r.PathValue("id"))
	if !ok {
		return 0, nil, newProblem(http.StatusNotFound, "there is no such session, or it has ended, or it is not one of your token: see GET /v1/console-sessions")
	}
	entry := audit.Entry{Action: audit.ActionSessionEnd, By: callerOf(r), Address: a.Proxies.Client(r).String(), Selection: ended.Subject()}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), a.recordFor)
	defer cancel()
	err := a.Audit.AppendLater(ctx, entry)
	if errors.Is(err, audit.ErrLater) {
		a.Logger.Warn("console session is written to the audit log once the broker is back", "action", entry.Action, "by", entry.By,
			"address", entry.Address, "session_id", ended.ID)
		err = nil
	}
	return http.StatusNoContent, nil, err
}
