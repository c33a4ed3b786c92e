package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestOutageIsLoggedAsItsCause: while the broker cannot be reached the log says
// so, with the cause; what fails because of that adds no error of its own,
// whatever operators and clients do meanwhile.
func TestOutageIsLoggedAsItsCause(t *testing.T) {
	t.Parallel()
	shared := newBackends(t)
	i := shared.setup(t, "front,worker,admin", "").start(t)
	l := newLogin("ada", "ada")
	i.mustRegister(l)
	v := i.visit(i.token)
	shared.nats.kill()
	eventually(t, "the outage is noticed", func() bool { return i.stderr.contains("broker cannot be reached") })
	before := len(i.stderr.String())
	within(8*time.Second, func() bool { // longer than what looks at the broker at intervals takes
		if a := i.logOut(dialectNamed("sap_v1"), l.session); a.status != http.StatusServiceUnavailable {
			t.Errorf("a logout: %d", a.status)
		}
		call("POST", i.admin+"/v1/revocations", i.token, fields{"user_id": "u"})
		get(i.admin+"/v1/jobs", i.token)
		get(i.admin+"/v1/overview", "raw-wrong")
		for _, page := range []string{"", "failed", "jobs", "audit", "events", "search?user_id=u"} {
			v.get("/console/" + page)
		}
		i.visit(i.token)
		return false
	})
	for line := range strings.Lines(i.stderr.String()[before:]) {
		var said struct{ Level, Msg, Err string }
		if err := json.Unmarshal([]byte(line), &said); err != nil || said.Level == "DEBUG" || said.Level == "INFO" {
			continue
		}
		if strings.Contains(said.Err, "nats:") || strings.Contains(said.Err, "broker unavailable") {
			t.Errorf("the log says: %s", line)
		}
	}
}
