package admin_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/handlers/admin"
	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/broker/embedded"
	"github.com/logoutd/logoutd/internal/messages"
)

// announce publishes a public event.
func (w *world) announce(id string) {
	w.t.Helper()
	now := events.At(time.Now())
	msg, err := messages.RevokedMessage(events.Revoked{Scope: "user", RequestID: id, UserID: "u", RequestedAt: now, CompletedAt: now}, "")
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.config.Publisher.All(w.t.Context(), []*nats.Msg{msg}); err != nil {
		w.t.Fatal(err)
	}
}

// follow opens a tail, and returns its next event's id each time.
func (w *world) follow(query string) (next func() string) {
	w.t.Helper()
	response, err := w.server.Client().Do(w.request("GET", "/v1/events"+query, nil))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { response.Body.Close() })
	if got := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || got != "application/x-ndjson" {
		w.t.Fatalf("%d with Content-Type %q", response.StatusCode, got)
	}
	lines := bufio.NewScanner(response.Body)
	return func() string {
		w.t.Helper()
		if !lines.Scan() {
			w.t.Fatalf("the tail ended: %v", lines.Err())
		}
		if err := theContract(w.t).valid("#/components/schemas/Event", lines.Bytes()); err != nil {
			w.t.Errorf("%s is not what %s promises: %v", lines.Bytes(), documentFile, err)
		}
		var e events.Event[events.Revoked]
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.SpecVersion != "1.0" || e.Type != "logoutd.user.revoked.v1" {
			w.t.Fatalf("not an event: %s: %v", lines.Bytes(), err)
		}
		return e.ID
	}
}

func (w *world) expect(next func() string, ids ...string) {
	w.t.Helper()
	for _, want := range ids {
		if got := next(); got != want {
			w.t.Fatalf("event %q, want %q", got, want)
		}
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.announce("one")
	live := w.follow("")
	w.announce("two")
	w.expect(live, "two")
	w.expect(w.follow("?since=1h"), "one", "two")
	w.expect(w.follow("?since=2020-01-01T00:00:00Z"), "one", "two")
	w.announce("three")
	w.expect(live, "three")
}

func TestTailRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for query, field := range map[string]string{"?since=yesterday": "since", "?since=-1h": "since", "?until=1h": "until"} {
		w.refused(w.call("GET", "/v1/events"+query, ""), http.StatusBadRequest, field, "")
	}
}

// serve replaces the world's server by one that change has changed.
func (w *world) serve(change func(*http.Server)) {
	w.server.Close()
	w.server = httptest.NewUnstartedServer(admin.New(w.config))
	change(w.server.Config)
	w.server.Start()
	w.t.Cleanup(w.server.Close)
}

// The tail outlives the timeouts of its server, over HTTP/2 as well, where a
// deadline that passes ends the stream.
func TestTailOutlivesTimeouts(t *testing.T) {
	t.Parallel()
	var http1, http2 http.Protocols
	http1.SetHTTP1(true)
	http2.SetUnencryptedHTTP2(true)
	for _, protocols := range []*http.Protocols{&http1, &http2} {
		w := newWorld(t)
		const timeout = 50 * time.Millisecond
		w.serve(func(s *http.Server) { s.WriteTimeout, s.ReadTimeout, s.Protocols = timeout, timeout, protocols })
		w.server.Client().Transport = &http.Transport{Protocols: protocols}
		next := w.follow("")
		for _, id := range []string{"late", "later"} {
			<-time.After(4 * timeout)
			w.announce(id)
			w.expect(next, id)
		}
	}
}

// TestTailsAreBounded: a token can have so many, in the API and the console
// together; those of another token do not count, and one that ends makes room.
func TestTailsAreBounded(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	w := newWorld(t, func(c *admin.Config) { c.Tails = access.NewTails(registry) })
	end, ok := w.config.Tails.Open("admin")
	if !ok {
		t.Fatal("no tail can be opened")
	}
	for range access.MaxTails - 1 {
		w.follow("")
	}
	refused := w.call("GET", "/v1/events", "")
	w.refused(refused, http.StatusTooManyRequests, "", "limit of 32 open event streams")
	if refused.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if _, ok := w.config.Tails.Open("another"); !ok {
		t.Error("another token can have none")
	}
	if err := testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP logoutd_event_tails Open tails of events, by the admin API and by live pages of the console.
# TYPE logoutd_event_tails gauge
logoutd_event_tails 33
# HELP logoutd_event_tails_refused_total Tails of events that were refused because the token had too many.
# TYPE logoutd_event_tails_refused_total counter
logoutd_event_tails_refused_total 1
`)); err != nil {
		t.Error(err)
	}
	end()
	w.follow("")
}

// The tail goes on where it was after the broker was away.
func TestTailOutlivesBroker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server, err := embedded.Start(embedded.Config{Dir: t.TempDir(), Listen: "-"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	back := make(chan struct{}, 1)
	w.config.JetStream = eventstest.Connect(t, server, nats.ReconnectHandler(func(*nats.Conn) { back <- struct{}{} }))
	publisher := broker.NewPublisher(w.config.JetStream, nil)
	t.Cleanup(publisher.Close)
	w.config.Publisher = publisher
	w.serve(func(*http.Server) {})
	next := w.follow("")
	w.announce("before")
	w.expect(next, "before")
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	<-back
	w.announce("after")
	w.expect(next, "after")
}

// A tail ends when its caller goes, and when the server does.
func TestTailEnds(t *testing.T) {
	t.Parallel()
	lifetime, die := context.WithCancel(t.Context())
	defer die()
	w := newWorld(t, func(c *admin.Config) { c.Lifetime = lifetime })
	handler := admin.New(w.config)
	for _, gone := range []string{"caller", "server"} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		end := map[string]func(){"caller": cancel, "server": die}[gone]
		started, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			r := httptest.NewRequest(http.MethodGet, "/v1/events", nil).WithContext(ctx)
			r.Header.Set("Authorization", "Bearer "+adminToken)
			handler.ServeHTTP(&signalling{httptest.NewRecorder(), started}, r)
		}()
		<-started
		end()
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			t.Fatalf("the tail goes on without its %s", gone)
		}
	}
}

// signalling tells when the answer begins.
type signalling struct {
	*httptest.ResponseRecorder
	started chan struct{}
}

func (s *signalling) WriteHeader(status int) {
	s.ResponseRecorder.WriteHeader(status)
	close(s.started)
}
