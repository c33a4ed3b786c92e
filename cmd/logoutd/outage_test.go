package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// impatient gives up after the first failure that is a message's own: an
// outage that was counted against a message would show as a dead letter.
const impatient = "retry: {give_up_after: 10ms, initial: 5ms}\n"

// outageClients is how many clients log out while parts are down, and
// outageLogins how many sessions each has: they are registered before.
const (
	outageClients = 8
	outageLogins  = 400
)

// TestOutagesLoseNothing kills Redis, lets it hang, and kills NATS, while
// clients log out: whatever was accepted is complete in the end.
func TestOutagesLoseNothing(t *testing.T) {
	t.Parallel()
	shared, provider := newBackends(t), newProvider(t)
	i := shared.setup(t, "front,worker,admin", impatient+provider.settings("")).start(t)
	spare := importOutageLogins(t, i)
	clients := startLoad(t, i, outageClients, func(_ *instance, client, n int) (login, bool) {
		return outageLogin(client, n), n < outageLogins
	})
	clients.awaitLogouts(100)

	shared.redis.Stop()
	awaitPaused(i)
	clients.awaitLogouts(200)
	clients.expectNoRefusals("while the store is down")
	if i.metric("logoutd_fence_total", `outcome="skipped"`) == 0 {
		t.Error("no fence was skipped")
	}
	shared.redis.Restart()
	awaitResumed(i)
	clients.awaitLogouts(100)

	shared.redis.Pause()
	clients.awaitLogouts(50)
	shared.redis.Resume()
	clients.awaitLogouts(50)

	shared.nats.kill()
	expectUnavailable(t, i, spare)
	awaitRefusals(clients)
	shared.nats.start(t)
	clients.awaitLogouts(100)
	clients.end()

	t.Logf("%d logouts, and otherwise %v", len(clients.logouts()), clients.answers)
	clients.expectComplete(i, provider)
	expectNothingCounted(t, i)
}

func outageLogin(client, n int) login {
	name := fmt.Sprintf("outage-%d-%d", client, n)
	return newLogin("user-of-"+name, name)
}

// importOutageLogins registers all logins with logoutd import, and one more.
func importOutageLogins(t *testing.T, i *instance) (spare login) {
	t.Helper()
	var lines strings.Builder
	write := func(kind string, f fields) {
		line, err := json.Marshal(f.with(fields{"type": kind}))
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	spare = newLogin("spare", "spare")
	logins := []login{spare}
	for client := range outageClients {
		for n := range outageLogins {
			logins = append(logins, outageLogin(client, n))
		}
	}
	for batch := range slices.Chunk(logins, 500) {
		for _, l := range batch {
			write("session", l.sessionFields())
		}
		for _, l := range batch {
			write("refresh_token", l.refreshFields())
		}
		for _, l := range batch {
			write("push_registration", l.pushFields())
		}
	}
	file := filepath.Join(i.setup.dir, "logins.ndjson")
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	i.mustCLI("import", file)
	return spare
}

// awaitPaused waits until metrics and readiness show that the store is away.
func awaitPaused(i *instance) {
	i.t.Helper()
	eventually(i.t, "paused", func() bool { return i.metric("logoutd_paused", `step="revoke"`) == 1 })
	ready := get(i.admin+"/readyz", "")
	if ready.status != http.StatusServiceUnavailable || !strings.Contains(ready.body, "store: cannot be reached") {
		i.t.Errorf("without a store, readyz answers %d %s", ready.status, ready.body)
	}
	if alive := get(i.admin+"/healthz", ""); alive.status != http.StatusOK {
		i.t.Errorf("without a store, healthz answers %d", alive.status)
	}
	if a := i.introspect("raw-any"); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		i.t.Errorf("without a store, introspection answers %d", a.status)
	}
}

func awaitResumed(i *instance) {
	i.t.Helper()
	eventually(i.t, "resumed", func() bool {
		return i.metric("logoutd_paused") == 0 && get(i.admin+"/readyz", "").status == http.StatusOK
	})
	if i.metric("logoutd_pauses_total") == 0 {
		i.t.Error("no pause was counted")
	}
}

// expectUnavailable: without a broker each dialect says so in its own shape.
func expectUnavailable(t *testing.T, i *instance, who login) {
	t.Helper()
	for dialect, want := range map[string]struct{ contentType, body string }{
		"sap_v1": {"text/plain", "The logout could not be accepted. Please try again."},
		"sap_v2": {"text/plain", "The logout could not be accepted. Please try again."},
		"elvis":  {"application/json", `{"errorcode":503,"message":"The logout could not be accepted. Please try again."}`},
		"kratos": {"application/json", `{"error":{"code":503,"status":"Service Unavailable","reason":"The logout could not be accepted. Please try again.","message":"The service is unavailable at the moment"}}`},
	} {
		a := i.logOut(dialectNamed(dialect), who.session)
		after := a.header.Get("Retry-After")
		if a.status != http.StatusServiceUnavailable || !slices.Contains([]string{"1", "2", "3"}, after) {
			t.Errorf("%s without a broker: %d, Retry-After %q", dialect, a.status, after)
		}
		if !strings.HasPrefix(a.header.Get("Content-Type"), want.contentType) || strings.TrimSpace(a.body) != want.body {
			t.Errorf("%s without a broker: %s %s", dialect, a.header.Get("Content-Type"), a.body)
		}
	}
	if a := call("POST", i.admin+"/v1/revocations", i.token, fields{"user_id": "u"}); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("a revocation without a broker: %d %s", a.status, a.body)
	}
}

func awaitRefusals(clients *load) {
	clients.t.Helper()
	eventually(clients.t, "refusals in all dialects", func() bool {
		for _, d := range dialectCalls {
			if clients.answered(d.name+" 503 true") < 20 {
				return false
			}
		}
		return true
	})
}

// expectNothingCounted: an outage is nobody's failure.
func expectNothingCounted(t *testing.T, i *instance) {
	t.Helper()
	metrics := get(i.admin+"/metrics", "").body
	fine := metricIn(metrics, "logoutd_attempts_total", `outcome="ok"`) + metricIn(metrics, "logoutd_attempts_total", `outcome="obsolete"`)
	if failed := metricIn(metrics, "logoutd_attempts_total") - fine; failed != 0 {
		t.Errorf("%v attempts were counted as failures", failed)
	}
	if letters := metricIn(metrics, "logoutd_dead_letters_total"); letters != 0 {
		t.Errorf("%v dead letters", letters)
	}
}
