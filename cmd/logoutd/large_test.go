package main

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/logoutd/logoutd/store/redisstore/redistest"
)

// TestRecordThatIsTooLarge: a login service that writes to Redis itself has
// written a device id of 2 MB. Its session is logged out like any other, those
// beside it too, and the broker is not blamed.
func TestRecordThatIsTooLarge(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	s := newSetup(t, "")
	s.env = []string{"LOGOUTD_REDIS_URL=" + redis.URL()}
	i := s.start(t)
	logins := []login{newLogin("ada", "before"), newLogin("bob", "large"), newLogin("eve", "after")}
	i.mustRegister(logins...)
	configure(t, redis, "hset", "logoutd:session:{"+logins[1].id()+"}", "device", strings.Repeat("d", 2<<20))

	for range 3 { // also when it is repeated
		var out sync.WaitGroup
		for _, l := range logins {
			out.Go(func() {
				if a := i.logOut(dialectNamed("sap_v1"), l.session); a.status != http.StatusNoContent {
					t.Errorf("%s: %d %s", l.session, a.status, a.body)
				}
			})
		}
		out.Wait()
	}
	for _, l := range logins {
		if i.active(l.session) {
			t.Errorf("%s is active", l.session)
		}
	}
	for _, l := range []login{logins[0], logins[2]} {
		eventually(t, l.user+" is revoked", func() bool { return i.dead(l) })
	}
	if i.stderr.contains("embedded broker restarted") {
		t.Error("the broker was restarted")
	}
	if ready, says := i.ready("front"); !ready {
		t.Errorf("/readyz says %s", says)
	}
}
