package workers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/sqlitestore"
	"github.com/logoutd/logoutd/workers"
	"github.com/logoutd/logoutd/workers/delivery"
	"github.com/logoutd/logoutd/workers/targets/http"
)

// world is a broker, a store and the workers between them.
type world struct {
	*testing.T
	broker    *eventstest.Broker
	publisher *broker.Publisher
	store     *brittleStore
	registry  *prometheus.Registry
	metrics   *workers.Metrics
	retry     delivery.Retry
	unknown   bool
	log       *testkit.Log
	logger    *slog.Logger
}

func newWorld(t *testing.T) *world {
	t.Helper()
	server := eventstest.Start(t)
	s, err := sqlitestore.Open(filepath.Join(t.TempDir(), "store.db"), sqlitestore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	log := &testkit.Log{}
	w := &world{
		T: t, broker: server, publisher: broker.NewPublisher(server.JS, nil),
		store: &brittleStore{Store: s}, registry: prometheus.NewRegistry(), log: log,
		logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		retry:  delivery.Retry{GiveUpAfter: 2 * time.Second, Initial: 50 * time.Millisecond},
	}
	w.metrics = workers.NewMetrics(w.registry)
	t.Cleanup(w.publisher.Close)
	return w
}

// run runs a worker until the test ends, and then waits for it.
func (w *world) run(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := run(ctx); err != nil {
			w.Errorf("worker: %v", err)
		}
	})
	stop = func() {
		cancel()
		running.Wait()
	}
	w.Cleanup(stop)
	return stop
}

func (w *world) revoker(targets ...delivery.Configured) *workers.Revoker {
	return workers.NewRevoker(workers.RevokerConfig{
		JetStream: w.broker.JS, Publisher: w.publisher, Store: w.store, Targets: targets,
		PublishUnknown: w.unknown, Retry: w.retry, Metrics: w.metrics, Logger: w.logger,
	})
}

// httpTarget returns a target of the kind http that nothing is sent to.
func httpTarget(t testing.TB) delivery.Configured {
	return testkit.Target(t, http.Kind, "{name: http, kind: http, url: 'http://127.0.0.1:1/{push_token}'}")
}

// target returns a target of the kind http, whose url ends with {push_token}.
func (w *world) target(url string) delivery.Configured {
	w.Helper()
	return testkit.Target(w, http.Kind, fmt.Sprintf("{name: http, kind: http, url: %q, timeout: 300ms}", url+"/{push_token}"))
}

func (w *world) worker(target delivery.Configured) *delivery.Worker {
	return delivery.NewWorker(delivery.Config{
		Target: target, JetStream: w.broker.JS, Publisher: w.publisher, Store: w.store,
		Retry: w.retry, Metrics: w.metrics.Metrics, Logger: w.logger,
	})
}

// eventually polls until ok, and fails the test where it takes too long.
func (w *world) eventually(what string, ok func() bool) {
	w.Helper()
	testkit.Eventually(w, what, ok, w.log)
}

// login registers a session with a bound refresh token and a push
// registration, and returns the session's id.
func (w *world) login(user, session string) string {
	w.Helper()
	id, expires := store.TokenID(session), time.Now().Add(time.Hour)
	results, err := w.store.PutSessions(w.Context(), []store.Session{{
		ID: id, User: store.User{ID: user}, DeviceID: "device of " + session, ExpiresAt: expires,
	}})
	w.must(err, results[0].Err)
	results, err = w.store.PutRefreshTokens(w.Context(), []store.RefreshToken{{
		ID: store.TokenID("refresh " + session), User: store.User{ID: user}, SessionID: id, ExpiresAt: expires,
	}})
	w.must(err, results[0].Err)
	w.registerPush(user, session)
	return id
}

func (w *world) registerPush(user, session string) {
	w.Helper()
	results, err := w.store.PutPushRegistrations(w.Context(), []store.PushRegistration{{
		User: store.User{ID: user}, DeviceID: "device of " + session, Provider: "http", PushToken: "push-" + session,
	}})
	w.must(err, results[0].Err)
}

func (w *world) must(errs ...error) {
	w.Helper()
	if err := errors.Join(errs...); err != nil {
		w.Fatal(err)
	}
}

// logout fences a session as a front end does and returns its request.
func (w *world) logout(scope, id string) messages.Request {
	w.Helper()
	request := messages.Request{
		ID: messages.RequestID(scope, id), Dialect: "test", Initiator: messages.InitiatorUser, Scope: scope,
		SessionID: id, RequestedAt: events.At(time.Now()),
	}
	fenced, err := w.store.Fence(w.Context(), []store.Fence{{RequestID: request.ID, SessionID: id}})
	w.must(err)
	session := fenced[0].Session
	request.Fenced, request.Cutoff = true, events.At(fenced[0].Cutoff)
	request.UserID, request.DeviceID = session.User.ID, session.DeviceID
	request.AuthenticatedAt = events.At(session.AuthenticatedAt)
	return request
}

// public returns the public events of a type.
func public[T any](w *world, subject string) []events.Event[T] {
	w.Helper()
	var all []events.Event[T]
	for _, msg := range w.broker.Messages(events.StreamEvents) {
		if msg.Subject != subject {
			continue
		}
		var e events.Event[T]
		w.must(json.Unmarshal(msg.Data, &e))
		all = append(all, e)
	}
	return all
}

func (w *world) revoked(scope string) []events.Event[events.Revoked] {
	return public[events.Revoked](w, events.SubjectRevoked(scope))
}

func (w *world) letters() []messages.DeadLetter {
	w.Helper()
	letters, err := deadletters.NewDeadLetters(w.broker.JS).List(w.Context(), 0, 100)
	w.must(err)
	return letters
}

// metric returns the sum of a metric over the series that have the label
// values.
func (w *world) metric(name string, labels map[string]string) float64 {
	w.Helper()
	families, err := w.registry.Gather()
	w.must(err)
	sum := 0.0
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
	series:
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if want, ok := labels[label.GetName()]; ok && want != label.GetValue() {
					continue series
				}
			}
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

// brittleStore is a store that fails on demand.
type brittleStore struct {
	store.Store
	mu      sync.Mutex
	down    bool
	refuses map[string]error // by request id
	calls   int              // of Revoke
	asked   int              // calls of Reregistered
}

func (s *brittleStore) set(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *brittleStore) refuse(requestID string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuses = map[string]error{requestID: err}
}

func (s *brittleStore) Revoke(ctx context.Context, revocations []store.Revocation) ([]store.Revoked, error) {
	s.mu.Lock()
	s.calls++
	down, refuses := s.down, s.refuses
	s.mu.Unlock()
	if down {
		return nil, store.ErrUnavailable
	}
	results, err := s.Store.Revoke(ctx, revocations)
	for i, r := range revocations {
		if refusal := refuses[r.RequestID]; refusal != nil && err == nil {
			results[i] = store.Revoked{Err: refusal}
		}
	}
	return results, err
}

func (s *brittleStore) Reregistered(ctx context.Context, checks []store.PushCheck) ([]bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.down {
		return nil, store.ErrUnavailable
	}
	return s.Store.Reregistered(ctx, checks)
}

func (s *brittleStore) checks() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *brittleStore) revokes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}
