package replay_test

import (
	"github.com/logoutd/logoutd/workers/delivery"
	targethttp "github.com/logoutd/logoutd/workers/targets/http"

	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
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
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/replay"
	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/sqlitestore"
	"github.com/logoutd/logoutd/workers"
)

// world is a broker and a store, and a process that replays.
type world struct {
	*testing.T
	broker    *eventstest.Broker
	publisher *broker.Publisher
	store     store.Store
	letters   *deadletters.Letters
	works     map[string]jobs.Work
	jobs      *jobs.Jobs
	*replay.Replays
	failures uint64
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, broker: eventstest.Start(t)}
	w.publisher = broker.NewPublisher(w.broker.JS, nil)
	t.Cleanup(w.publisher.Close)
	quiet := slog.New(slog.DiscardHandler)
	s, err := sqlitestore.Open(filepath.Join(t.TempDir(), "store.db"), sqlitestore.Config{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	w.store = s
	t.Cleanup(func() { _ = s.Close() })
	w.letters, err = deadletters.Open(deadletters.Config{JetStream: w.broker.JS, Path: filepath.Join(t.TempDir(), "letters.db"), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.letters.Close() })
	w.works = map[string]jobs.Work{}
	w.jobs = jobs.New(jobs.Config{JetStream: w.broker.JS, Works: w.works})
	w.Replays = replay.New(replay.Config{
		Letters: w.letters, DeadLetters: deadletters.NewDeadLetters(w.broker.JS), Jobs: w.jobs, Store: w.store, RegistrationKinds: []string{"http"},
	})
	for kind, work := range w.Works() {
		w.works[kind] = work
	}
	w.run(w.letters.Run)
	return w
}

// work has workers do what is replayed. The provider answers a push token with
// a status; answer can be called by several at once.
func (w *world) work(answer func(token string) int) (provider *httptest.Server) {
	w.Helper()
	provider = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.WriteHeader(answer(strings.TrimPrefix(r.URL.Path, "/")))
	}))
	w.Cleanup(provider.Close)
	target := testkit.Target(w, targethttp.Kind, fmt.Sprintf("{name: http, kind: http, url: %q}", provider.URL+"/{push_token}"))
	metrics, quiet := workers.NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler)
	retry := delivery.Retry{GiveUpAfter: 300 * time.Millisecond, Initial: 50 * time.Millisecond}
	w.run(workers.NewRevoker(workers.RevokerConfig{
		JetStream: w.broker.JS, Publisher: w.publisher, Store: w.store, Targets: []delivery.Configured{target}, Retry: retry, Metrics: metrics, Logger: quiet,
	}).Run)
	w.run(delivery.NewWorker(delivery.Config{
		Target: target, JetStream: w.broker.JS, Publisher: w.publisher, Store: w.store, Retry: retry, Metrics: metrics.Metrics, Logger: quiet,
	}).Run)
	return provider
}

// always answers every push token with one status.
func always(status int) func(string) int { return func(string) int { return status } }

// run runs something until the end of the test, or until it is stopped.
func (w *world) run(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.Errorf("running: %v", err)
		}
	})
	w.Cleanup(stop)
	return stop
}

// hourAgo is when everything failed.
var hourAgo = time.Now().Add(-time.Hour)

// userOf is the user with a number.
func userOf(n int) store.User { return store.User{TenantID: "acme", ID: fmt.Sprintf("user-%d", n)} }

// session is the id of a user's session.
func session(n int) string { return store.TokenID(fmt.Sprintf("session-%d", n)) }

// registration is a user's push registration.
func registration(n int, at time.Time) store.PushRegistration {
	return store.PushRegistration{
		User: userOf(n), DeviceID: "phone", AppID: "app", Provider: "http", PushToken: fmt.Sprintf("push-token-%d", n), RegisteredAt: at,
	}
}

// requestLetter is the letter of a user's logout that the store refused.
func requestLetter(n int) messages.DeadLetter {
	at := events.At(hourAgo)
	r := messages.Request{
		ID: messages.RequestID("user", session(n)), Dialect: "sap_v2", Initiator: messages.InitiatorUser, Scope: "user",
		SessionID: session(n), UserID: userOf(n).ID, TenantID: "acme", DeviceID: "phone", AppID: "app",
		AuthenticatedAt: events.At(hourAgo.Add(-time.Hour)), Cutoff: at, Fenced: true, RequestedAt: at,
	}
	return messages.DeadLetter{
		ID: r.ID, Step: messages.StepRevoke, Code: "store", Error: "refused", Attempts: 3,
		FirstFailedAt: at, LastFailedAt: at, FailedAt: at, Request: &r,
	}
}

// pushLetter is the letter of a push provider that was not told.
func pushLetter(n int) messages.DeadLetter {
	l := requestLetter(n)
	reg := registration(n, hourAgo.Add(-time.Minute))
	task := testkit.PushDelivery(*l.Request, l.Request.Cutoff, testkit.Registration{
		ID: store.PushRegistrationID(reg), UserID: reg.User.ID, TenantID: "acme", DeviceID: reg.DeviceID, AppID: reg.AppID,
		Provider: reg.Provider, PushToken: reg.PushToken, RegisteredAt: events.At(reg.RegisteredAt),
	})
	l.ID, l.Step, l.Target, l.Code, l.Delivery = task.ID, "http", task.Target, "http_500", &task
	return l
}

// firstFailure is a place on a stream that nothing of a test comes to: the
// broker takes two failures at the same place for one.
const firstFailure = 1 << 20

// fail makes dead letters.
func (w *world) fail(all ...messages.DeadLetter) {
	w.Helper()
	for _, l := range all {
		w.failures++
		if err := w.publisher.DeadLetter(w.Context(), l, firstFailure+w.failures); err != nil {
			w.Fatal(err)
		}
	}
}

// plan makes a dry run.
func (w *world) plan(kind string, q replay.Query, force bool) jobs.Plan {
	w.Helper()
	plan, err := w.Plan(w.Context(), kind, "ann", q, force)
	if err != nil {
		w.Fatal(err)
	}
	return plan
}

// start starts a plan.
func (w *world) start(p jobs.Plan) jobs.Job {
	w.Helper()
	job, err := w.jobs.Start(w.Context(), jobs.Start{Token: p.Token, Kind: p.Kind, By: "bob", Reason: "the provider is back"})
	if err != nil {
		w.Fatal(err)
	}
	return job
}

// finished waits for the end of a job.
func (w *world) finished(id string) jobs.Job {
	w.Helper()
	return w.until(id, func(job jobs.Job) bool { return job.State.Finished() })
}

// until waits for a job to be as wanted.
func (w *world) until(id string, wanted func(jobs.Job) bool) jobs.Job {
	w.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		job, err := w.jobs.Get(w.Context(), id)
		if err == nil && wanted(job) {
			return job
		}
		if time.Now().After(deadline) {
			w.Fatalf("the job stays as it is: %+v, error %v", job, err)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// stream returns how many messages a stream holds.
func (w *world) stream(name string) int { w.Helper(); return len(w.broker.Messages(name)) }
