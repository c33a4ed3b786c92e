package admin_test

import (
	"net/http"
	"testing"

	"github.com/logoutd/logoutd/handlers/admin"
	"github.com/logoutd/logoutd/internal/access"
)

// TestConsoleSessionsDuringAnOutage: a session can be ended while the broker is
// down, and the list says that it may lack something.
func TestConsoleSessionsDuringAnOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, named, func(c *admin.Config) {
		c.Sessions = access.NewSessions(access.SessionsConfig{JetStream: c.JetStream, Tokens: c.Tokens})
	})
	w.run(w.config.Sessions.Run)
	w.until("the sessions are read", w.config.Sessions.Complete)
	_, opened := w.config.Sessions.Begin(t.Context(), access.HashOf(adminToken), access.Caller{Name: access.RootName, Role: access.Operator}, "192.0.2.1")
	a := w.must(http.StatusOK, "GET", "/v1/console-sessions", "")
	if list := a.body["sessions"].([]any); len(list) != 1 || at(list[0], "id") != opened.ID || at(list[0], "address") != "192.0.2.1" || a.body["stale"] != false {
		t.Errorf("listed: %v", a.body)
	}
	w.broker.Stop()
	w.until("the outage is noticed", func() bool {
		return w.must(http.StatusOK, "GET", "/v1/console-sessions", "").body["stale"] == true
	})
	w.must(http.StatusNoContent, "DELETE", "/v1/console-sessions/"+opened.ID, "")
	if list := w.must(http.StatusOK, "GET", "/v1/console-sessions", "").body["sessions"].([]any); len(list) != 0 {
		t.Errorf("an ended session is listed: %v", list)
	}
	w.refused(w.call("DELETE", "/v1/console-sessions/"+opened.ID, ""), http.StatusNotFound, "", "no such session")
}
