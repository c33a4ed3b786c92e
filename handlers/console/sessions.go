package console

import (
	"net/http"
	"time"

	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/broker"
)

// sessionsPage lists sessions: all of them for operators, their own for viewers.
type sessionsPage struct {
	Sessions []access.Session
	Current  string // id of the visitor's session
	All      bool
	Now      time.Time
}

func (c *console) sessions(v *visit) (view, error) {
	p := sessionsPage{
		Sessions: c.Sessions.List(v.session.Caller), Current: v.session.Session.ID, All: v.Operator(), Now: time.Now().UTC(),
	}
	if !c.Sessions.Complete() {
		v.missing(c, "What other processes know of sessions", broker.Unavailable("reading console sessions", broker.ErrNotConnected))
	}
	return view{template: "sessions", title: "Sessions", section: "sessions", data: p}, nil
}

// endSession ends a session: the visitor's own, or for operators any session.
func (c *console) endSession(v *visit) (view, error) {
	ended, ok := c.Sessions.EndFor(v.Context(), v.session.Caller, v.PathValue("id"))
	if !ok {
		return view{}, &fault{http.StatusNotFound, "Session not found", "It has already ended, or it belongs to another token: see Sessions."}
	}
	c.recordSession(v.Request, v.By(), audit.ActionSessionEnd, ended)
	return goTo("/console/sessions"), nil
}
