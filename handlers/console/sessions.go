package console

import (
	"net/http"
	"time"

	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/audit"
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
	p := sessionsPage{Current: v.session.Session.ID, All: v.Operator(), Now: time.Now().UTC()}
	for _, s := range c.Sessions.List() {
		if v.ownsSession(s) || p.All {
			p.Sessions = append(p.Sessions, s)
		}
	}
	return view{template: "sessions", title: "Sessions", section: "sessions", data: p}, nil
}

// ownsSession reports whether a session is of the visitor's token.
func (v *visit) ownsSession(s access.Session) bool { return s.Token == v.By() }

// endSession ends a session: one's own, or, for operators, any.
func (c *console) endSession(v *visit) (view, error) {
	id := v.PathValue("id")
	for _, s := range c.Sessions.List() {
		if s.ID != id || !v.ownsSession(s) && !v.Operator() {
			continue
		}
		c.Sessions.End(v.Context(), id)
		c.recordSession(v.Request, v.By(), audit.ActionSessionEnd, s)
		return goTo("/console/sessions"), nil
	}
	return view{}, &fault{http.StatusNotFound, "There is no such session", "It has ended already, or it is not yours: look at Sessions."}
}
