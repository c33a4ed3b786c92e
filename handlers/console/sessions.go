package console

import (
	"net/http"
	"time"

	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/broker"
)

// sessionsPage lists who is logged in: to operators everybody, to viewers
// their own sessions.
type sessionsPage struct {
	Sessions []access.Session
	Current  string // id of the visitor's
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

// endSession ends a session: one's own, or, for operators, any.
func (c *console) endSession(v *visit) (view, error) {
	ended, ok := c.Sessions.EndFor(v.Context(), v.session.Caller, v.PathValue("id"))
	if !ok {
		return view{}, &fault{http.StatusNotFound, "There is no such session", "It has ended already, or it is not yours: look at Sessions."}
	}
	c.recordSession(v.Request, v.By(), audit.ActionSessionEnd, ended)
	return goTo("/console/sessions"), nil
}
