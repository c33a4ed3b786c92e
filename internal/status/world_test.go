package status_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/status"
	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/sqlitestore"
	"github.com/logoutd/logoutd/workers"
)

var alice = store.User{TenantID: "acme", ID: "alice"}

// world is all the places where logouts leave traces.
type world struct {
	*testing.T
	broker    *eventstest.Broker
	publisher *broker.Publisher
	store     *sqlitestore.Store
	letters   *deadletters.Letters
	statuses  *status.Statuses
	start     time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	server := eventstest.Start(t)
	s, err := sqlitestore.Open(filepath.Join(t.TempDir(), "store.db"), sqlitestore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	l, err := deadletters.Open(deadletters.Config{
		JetStream: server.JS, Path: filepath.Join(t.TempDir(), "letters.db"), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	w := &world{
		T: t, broker: server, publisher: broker.NewPublisher(server.JS, nil), store: s, letters: l,
		statuses: status.New(status.Config{Store: s, Letters: l, JetStream: server.JS}),
		start:    time.Now().UTC().Truncate(time.Millisecond),
	}
	t.Cleanup(w.publisher.Close)
	w.run(l.Run)
	w.settle()
	return w
}

// run runs something until the test ends, and then waits for it.
func (w *world) run(run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := run(ctx); err != nil {
			w.Errorf("running: %v", err)
		}
	})
	w.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

func (w *world) settle() {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 20*time.Second)
	defer cancel()
	if err := w.letters.Settled(ctx); err != nil {
		w.Fatal(err)
	}
}

// work has the requests done.
func (w *world) work() {
	w.run(workers.NewRevoker(workers.RevokerConfig{
		JetStream: w.broker.JS, Publisher: w.publisher, Store: w.store,
		Metrics: workers.NewMetrics(prometheus.NewRegistry()), Logger: slog.New(slog.DiscardHandler),
	}).Run)
}

func (w *world) ago(minutes int) time.Time { return w.start.Add(-time.Duration(minutes) * time.Minute) }

// login registers a session of alice, and returns its id.
func (w *world) login(name string, minutes int) string {
	w.Helper()
	return w.loginUntil(name, minutes, w.start.Add(time.Hour))
}

func (w *world) loginUntil(name string, minutes int, expiry time.Time) string {
	w.Helper()
	id := store.TokenID(name)
	results, err := w.store.PutSessions(w.Context(), []store.Session{{
		ID: id, User: alice, DeviceID: "phone", AppID: "mail", AuthenticatedAt: w.ago(minutes), ExpiresAt: expiry,
	}})
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		w.Fatal(err)
	}
	return id
}

// bySession is the request of a client that presents the session, bySome that
// of an operator who names the user.
func bySession(id string, scope store.Scope) messages.Request {
	return messages.Request{
		ID: messages.RequestID(string(scope), id), Dialect: "kratos", Initiator: messages.InitiatorUser,
		Scope: string(scope), SessionID: id, UserID: alice.ID, TenantID: alice.TenantID,
	}
}

func byOperator() messages.Request {
	return messages.Request{
		ID: messages.NewID(), Dialect: "admin", Initiator: messages.InitiatorAdmin, Reason: "lost phone",
		Scope: string(store.ScopeUser), UserID: alice.ID, TenantID: alice.TenantID,
	}
}

// fence is what a front end does first.
func (w *world) fence(r messages.Request) messages.Request {
	w.Helper()
	f := store.Fence{RequestID: r.ID, SessionID: r.SessionID}
	if r.SessionID == "" {
		f.User = alice
	}
	fenced, err := w.store.Fence(w.Context(), []store.Fence{f})
	if err == nil {
		err = fenced[0].Err
	}
	if err != nil {
		w.Fatal(err)
	}
	r.Fenced, r.Cutoff = true, events.At(fenced[0].Cutoff)
	r.AuthenticatedAt = events.At(fenced[0].Session.AuthenticatedAt)
	return r
}

// publish is what it does then.
func (w *world) publish(r messages.Request) messages.Request {
	w.Helper()
	r.RequestedAt = events.At(time.Now())
	if !r.Fenced {
		r.Cutoff = r.RequestedAt
	}
	if err := w.publisher.Requests(w.Context(), r); err != nil {
		w.Fatal(err)
	}
	return r
}

// giveUp leaves a dead letter of the request behind.
func (w *world) giveUp(r messages.Request, step string) {
	w.Helper()
	now := events.At(time.Now())
	letter := messages.DeadLetter{
		ID: r.ID, Step: step, Code: "boom", Error: "it failed", Attempts: 3,
		FirstFailedAt: now, LastFailedAt: now, FailedAt: now, Request: &r,
	}
	if err := w.publisher.DeadLetter(w.Context(), letter, 1); err != nil {
		w.Fatal(err)
	}
	w.settle()
}

func (w *world) request(id string) status.Status {
	w.Helper()
	return w.must(w.statuses.Request(w.Context(), id))
}

func (w *world) session(id string) status.Status {
	w.Helper()
	return w.must(w.statuses.Session(w.Context(), id))
}

func (w *world) user() status.Status {
	w.Helper()
	return w.must(w.statuses.User(w.Context(), alice.TenantID, alice.ID))
}

func (w *world) must(s status.Status, err error) status.Status {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// want looks at what every answer has: a state, and words that explain it.
func (w *world) want(got status.Status, state status.State, note string) {
	w.Helper()
	if got.State != state || !strings.Contains(got.Note, note) {
		w.Errorf("state %s (%s), want %s (%s)", got.State, got.Note, state, note)
	}
}

func (w *world) until(what string, holds func() bool) {
	w.Helper()
	testkit.Eventually(w, what, holds)
}
