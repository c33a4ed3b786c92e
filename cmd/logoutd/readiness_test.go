package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store/redisstore/redistest"
)

// ready returns what /readyz says of a role.
func (i *instance) ready(role string) (ready bool, says string) {
	a := get(i.admin+"/readyz?role="+role, "")
	return a.status == http.StatusOK, a.body
}

func (i *instance) awaitReady(role string, want bool, reason string) {
	i.t.Helper()
	eventually(i.t, role+" says "+reason, func() bool {
		ready, says := i.ready(role)
		return ready == want && strings.Contains(says, reason)
	})
}

func configure(t *testing.T, redis *redistest.Server, args ...any) {
	t.Helper()
	if err := redis.Client().Do(t.Context(), args...).Err(); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
}

// TestReadinessOfRoles: each role says whether it can do its job, whatever the
// others need.
func TestReadinessOfRoles(t *testing.T) {
	t.Parallel()
	shared := newBackends(t)
	front := shared.setup(t, "front", "").launch(t)
	front.awaitAddresses()
	front.awaitReady("front", false, "the stream LOGOUT_REQUESTS does not exist yet")
	others := shared.setup(t, "worker,admin", "").start(t)
	front.awaitReady("front", true, "")

	for _, tc := range []struct {
		refuse, again []any
		reason        string
	}{
		{[]any{"replicaof", "127.0.0.1", "1"}, []any{"replicaof", "no", "one"}, "refuses writes: READONLY"},
		{[]any{"config", "set", "maxmemory", "1"}, []any{"config", "set", "maxmemory", "0"}, "refuses writes: OOM"},
		{[]any{"acl", "setuser", "default", "-@write"}, []any{"acl", "setuser", "default", "+@all"}, "refuses writes: NOPERM"},
	} {
		configure(t, shared.redis, tc.refuse...)
		for _, role := range []string{"worker", "admin"} {
			others.awaitReady(role, false, tc.reason)
		}
		front.awaitReady("front", true, tc.reason) // degraded
		configure(t, shared.redis, tc.again...)
		for _, role := range []string{"worker", "admin"} {
			others.awaitReady(role, true, "")
		}
	}

	configure(t, shared.redis, "eval", "for i = 1, 50000 do redis.call('set', 'filler:' .. i, i) end return 1", "0")
	shared.redis.Stop()
	shared.redis.RestartLoading()
	for _, role := range []string{"worker", "admin"} {
		others.awaitReady(role, false, "refuses writes: LOADING")
	}
	front.awaitReady("front", true, "refuses writes: LOADING") // degraded
	shared.redis.Loaded()
	for _, role := range []string{"worker", "admin"} {
		others.awaitReady(role, true, "")
	}

	shared.nats.kill()
	for i, role := range map[*instance]string{front: "front", others: "worker"} {
		i.awaitReady(role, false, "broker: not connected")
	}
	if a := get(front.admin+"/readyz?role=worker", ""); a.status != http.StatusNotFound {
		t.Errorf("a role that the process does not have: %d %s", a.status, a.body)
	}
}

// TestFrontOfABrokerThatRefuses: a front end whose broker refuses what is
// published is not ready until the broker takes it again, and notices without a
// logout: nobody sends one to a front end that is not ready.
func TestFrontOfABrokerThatRefuses(t *testing.T) {
	t.Parallel()
	shared := newBackends(t)
	front := shared.setup(t, "front", "").launch(t)
	front.awaitAddresses()
	others := shared.setup(t, "worker,admin", "").start(t)
	others.public = front.public
	front.awaitReady("front", true, "")
	l := newLogin("ada", "refused")
	others.mustRegister(l)
	js := shared.nats.jetStream(t)
	limitRequests(t, js, 1)
	if a := others.logOut(dialectNamed("sap_v1"), l.session); a.status != http.StatusServiceUnavailable {
		t.Errorf("a logout that the broker refuses: %d", a.status)
	}
	const reason = "broker: connected, but refuses what is published: maximum bytes exceeded"
	front.awaitReady("front", false, reason)
	if within(6*time.Second, func() bool { ready, _ := front.ready("front"); return ready }) {
		t.Error("the front end is ready while the broker refuses what is published")
	}
	limitRequests(t, js, -1)
	front.awaitReady("front", true, "")
	others.mustLogOut("sap_v1", l.session)
	eventually(t, "the session is revoked", func() bool { return others.dead(l) })
	if letters := others.letters(); len(letters) != 0 {
		t.Errorf("the probes became dead letters: %v", letters)
	}
}

// TestFrontWithoutQuorum: a front end that is connected to the one server that
// is left of a cluster of three could not accept a logout.
func TestFrontWithoutQuorum(t *testing.T) {
	t.Parallel()
	cluster := newNATSCluster(t)
	shared := backends{cluster[0], redistest.Start(t)}
	urls := "LOGOUTD_NATS_URL=" + cluster[0].url() + "," + cluster[1].url() + "," + cluster[2].url()
	start := func(roles string) *instance {
		s := shared.setup(t, roles, "")
		s.env[0] = urls
		return s.launch(t)
	}
	front, others := start("front"), start("worker,admin")
	for _, i := range []*instance{front, others} {
		i.awaitAddresses()
	}
	others.awaitReady("worker", true, "")
	front.awaitReady("front", true, "")
	l := newLogin("ada", "without-quorum")
	others.mustRegister(l)
	for _, server := range cluster[1:] {
		server.kill()
	}
	front.awaitReady("front", false, "broker: the stream LOGOUT_REQUESTS has no leader")
	if a := front.logOut(dialectNamed("sap_v1"), l.session); a.status != http.StatusServiceUnavailable {
		t.Errorf("a logout without a quorum: %d", a.status)
	}
	for _, server := range cluster[1:] {
		server.start(t)
	}
	front.awaitReady("front", true, "")
}

// limitRequests sets how many bytes the stream of requests takes; -1: no limit.
func limitRequests(t *testing.T, js jetstream.JetStream, bytes int64) {
	t.Helper()
	stream, err := js.Stream(t.Context(), messages.StreamRequests)
	if err != nil {
		t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	config.MaxBytes = bytes
	if _, err := js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
}

// TestNATSComesBackEmpty: a NATS that lost its files has its streams again
// within seconds, and everything works as before.
func TestNATSComesBackEmpty(t *testing.T) {
	t.Parallel()
	shared := newBackends(t)
	front := shared.setup(t, "front", "").launch(t)
	front.awaitAddresses()
	others := shared.setup(t, "worker,admin", "").start(t)
	front.awaitReady("front", true, "")
	others.public = front.public
	logOut := func(name string) {
		t.Helper()
		l, other := newLogin(name, name), newLogin(name, name+"-other")
		others.mustRegister(l, other)
		others.mustLogOut("sap_v2", l.session)
		eventually(t, "the other session is revoked", func() bool { return others.dead(other) })
	}
	logOut("before")

	shared.nats.kill()
	left, err := filepath.Glob(filepath.Join(shared.nats.dir, "*"))
	if err != nil || len(left) == 0 {
		t.Fatalf("NATS has no files: %v", err)
	}
	for _, path := range left {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	shared.nats.start(t)
	front.awaitReady("front", true, "")
	others.awaitReady("worker", true, "")
	logOut("after")
	if said := others.mustCLI("tokens", "create", "again", "--role", "viewer"); !strings.Contains(said, "logoutd_") {
		t.Errorf("no token is created: %s", said)
	}
	if said := others.mustCLI("audit"); !strings.Contains(said, "token.create") {
		t.Errorf("the audit log does not go on: %s", said)
	}

	const lost = "The stream LOGOUT_REQUESTS is a new one"
	eventually(t, "the loss is said", func() bool { return strings.Contains(others.mustCLI("damage"), lost) })
	if _, says := others.ready("admin"); !strings.Contains(says, lost) {
		t.Errorf("/readyz says %s", says)
	}
	if others.metric("logoutd_streams_damaged") == 0 || strings.Count(others.stderr.String(), lost) != 1 {
		t.Errorf("no metric, or not one line of the log tells of the loss")
	}
	others.mustCLI("damage", "--acknowledge", "--reason", "logouts of the last hour were repeated")
	if said := others.mustCLI("damage"); strings.Contains(said, lost) {
		t.Errorf("it is said after it was acknowledged: %s", said)
	}
	if said := others.mustCLI("audit"); !strings.Contains(said, "damage.acknowledge") {
		t.Errorf("the acknowledgement is not audited: %s", said)
	}
}
