package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
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
	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/sqlitestore"
	"github.com/logoutd/logoutd/workers"
	"github.com/logoutd/logoutd/workers/delivery"
	"github.com/logoutd/logoutd/workers/targets/webhook"
)

const (
	newSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	oldSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
)

// world is a broker, a store, a revoker and one webhook.
type world struct {
	*testing.T
	broker    *eventstest.Broker
	publisher *broker.Publisher
	store     store.Store
	metrics   *workers.Metrics
	registry  *prometheus.Registry
	logger    *slog.Logger
	receiver  *receiver
	secrets   []string
}

// start runs the revoker and the worker of a webhook with the given settings,
// besides its url, and returns how to stop the worker. Default of the secrets:
// newSecret and oldSecret.
func start(t *testing.T, answer http.HandlerFunc, settings string, secrets ...string) (w *world, stop func()) {
	t.Helper()
	s, err := sqlitestore.Open(filepath.Join(t.TempDir(), "store.db"), sqlitestore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	server := eventstest.Start(t)
	w = &world{
		T: t, broker: server, publisher: testkit.NewPublisher(t, server.JS), store: s,
		registry: prometheus.NewRegistry(), logger: slog.New(slog.DiscardHandler), receiver: newReceiver(t, answer),
		secrets: secrets,
	}
	if len(secrets) == 0 {
		w.secrets = []string{newSecret, oldSecret}
	}
	w.metrics = workers.NewMetrics(w.registry)
	target := w.target(settings)
	w.run(workers.NewRevoker(workers.RevokerConfig{
		JetStream: server.JS, Publisher: w.publisher, Store: s, Targets: []delivery.Configured{target},
		Metrics: w.metrics, Logger: w.logger,
	}).Run)
	return w, w.run(w.worker(target).Run)
}

func (w *world) target(settings string) delivery.Configured {
	w.Helper()
	return testkit.Target(w, webhook.Kind, fmt.Sprintf(
		"{name: billing, kind: webhook, url: %q, secrets: [%s] %s}", w.receiver.URL+"/hook", strings.Join(w.secrets, ", "), settings))
}

func (w *world) worker(target delivery.Configured) *delivery.Worker {
	return delivery.NewWorker(delivery.Config{
		Target: target, JetStream: w.broker.JS, Publisher: w.publisher, Store: w.store,
		Retry:   delivery.Retry{GiveUpAfter: time.Minute, Initial: 50 * time.Millisecond},
		Metrics: w.metrics.Metrics, Logger: w.logger,
	})
}

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

// logout logs a session of a user out, and returns the request's id.
func (w *world) logout(session store.Session) string {
	w.Helper()
	session.ExpiresAt = time.Now().Add(time.Hour)
	results, err := w.store.PutSessions(w.Context(), []store.Session{session})
	w.must(err, results[0].Err)
	request := messages.Request{
		ID: messages.RequestID("session", session.ID), Dialect: "test", Initiator: messages.InitiatorUser, Scope: "session",
		SessionID: session.ID, RequestedAt: events.At(time.Now()), TraceParent: testkit.TraceParent,
	}
	fenced, err := w.store.Fence(w.Context(), []store.Fence{{RequestID: request.ID, SessionID: session.ID}})
	w.must(err)
	request.Fenced, request.Cutoff = true, events.At(fenced[0].Cutoff)
	request.UserID, request.TenantID, request.AppID = session.User.ID, session.User.TenantID, session.AppID
	w.must(w.publisher.Requests(w.Context(), request))
	return request.ID
}

// logoutOf logs out the only session of a user.
func (w *world) logoutOf(user string) string {
	return w.logout(store.Session{ID: store.TokenID(user), User: store.User{ID: user}})
}

func (w *world) must(errs ...error) {
	w.Helper()
	if err := errors.Join(errs...); err != nil {
		w.Fatal(err)
	}
}

// eventually polls until ok, and fails the test where it takes too long.
func (w *world) eventually(what string, ok func() bool) {
	w.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			w.Fatalf("%s: not in time", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func (w *world) letters() []messages.DeadLetter {
	w.Helper()
	letters, err := deadletters.NewDeadLetters(w.broker.JS).List(w.Context(), 0, 100)
	w.must(err)
	return letters
}

func (w *world) disabled() []broker.Disabled {
	w.Helper()
	all, err := broker.AllDisabled(w.Context(), w.broker.JS)
	w.must(err)
	return all
}

// metric returns the sum of a metric of the webhook.
func (w *world) metric(name string) (sum float64) {
	w.Helper()
	families, err := w.registry.Gather()
	w.must(err)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == name && strings.Contains(m.String(), `"billing"`) {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// received is one request to the receiver.
type received struct {
	at     time.Time
	header http.Header
	body   string
}

func (r received) id() string { return r.header.Get("webhook-id") }

// timestamp returns webhook-timestamp.
func (r received) timestamp(t testing.TB) time.Time {
	t.Helper()
	seconds, err := strconv.ParseInt(r.header.Get("webhook-timestamp"), 10, 64)
	if err != nil {
		t.Fatalf("webhook-timestamp: %v", err)
	}
	return time.Unix(seconds, 0)
}

// receiver is an endpoint that keeps what it gets.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc
	got    []received
}

func newReceiver(t *testing.T, answer http.HandlerFunc) *receiver {
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(body))
		r.mu.Lock()
		r.got = append(r.got, received{time.Now(), req.Header, string(body)})
		answer := r.answer
		r.mu.Unlock()
		answer(w, req)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) set(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// requests returns what has come so far.
func (r *receiver) requests() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received(nil), r.got...)
}

// of returns what has come for an event.
func (r *receiver) of(id string) (all []received) {
	for _, request := range r.requests() {
		if request.id() == id {
			all = append(all, request)
		}
	}
	return all
}

// status answers with a status and headers, given as name and value in turn.
func status(code int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
	}
}
