package bulk_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/bulk"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/sqlitestore"
	"github.com/logoutd/logoutd/workers"
)

// world is a broker and a store, with a process that works on jobs.
type world struct {
	*testing.T
	broker    *eventstest.Broker
	publisher *broker.Publisher
	store     *brittleStore
	jobs      *jobs.Jobs
	bulk      *bulk.Bulk
	start     time.Time
}

// brittleStore is a store that may be down.
type brittleStore struct {
	store.Store
	mu   sync.Mutex
	down bool
}

func (s *brittleStore) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *brittleStore) Fence(ctx context.Context, fences []store.Fence) ([]store.Fenced, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return nil, store.ErrUnavailable
	}
	return s.Store.Fence(ctx, fences)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	server := eventstest.Start(t)
	s, err := sqlitestore.Open(filepath.Join(t.TempDir(), "store.db"), sqlitestore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	w := &world{
		T: t, broker: server, publisher: broker.NewPublisher(server.JS, nil),
		store: &brittleStore{Store: s}, start: time.Now().UTC().Truncate(time.Millisecond),
	}
	t.Cleanup(w.publisher.Close)
	works := map[string]jobs.Work{}
	w.jobs = jobs.New(jobs.Config{JetStream: server.JS, Works: works, Instance: "test"})
	w.bulk = bulk.New(bulk.Config{Store: w.store, Publisher: w.publisher, Jobs: w.jobs})
	maps.Copy(works, w.bulk.Works())
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

func (w *world) runRevoker() {
	w.run(workers.NewRevoker(workers.RevokerConfig{
		JetStream: w.broker.JS, Publisher: w.publisher, Store: w.store,
		Metrics: workers.NewMetrics(prometheus.NewRegistry()), Logger: slog.New(slog.DiscardHandler),
	}).Run)
}

func (w *world) ago(minutes int) time.Time { return w.start.Add(-time.Duration(minutes) * time.Minute) }

// login registers a session for an app, authenticated some minutes ago.
func (w *world) login(u store.User, name, app string, minutes int) string {
	w.Helper()
	results, err := w.store.PutSessions(w.Context(), []store.Session{{
		ID: store.TokenID(name), User: u, AppID: app, AuthenticatedAt: w.ago(minutes), ExpiresAt: w.start.Add(time.Hour),
	}})
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		w.Fatal(err)
	}
	return store.TokenID(name)
}

// live names those of the sessions that are active.
func (w *world) live(names ...string) []string {
	w.Helper()
	ids := make([]string, len(names))
	for i, name := range names {
		ids[i] = store.TokenID(name)
	}
	states, err := w.store.Sessions(w.Context(), ids)
	if err != nil {
		w.Fatal(err)
	}
	live := []string{}
	for i, s := range states {
		if s.Active {
			live = append(live, names[i])
		}
	}
	return live
}

func (w *world) plan(q bulk.Query) jobs.Plan {
	w.Helper()
	plan, err := w.bulk.Plan(w.Context(), "ops", q)
	if err != nil {
		w.Fatal(err)
	}
	return plan
}

func (w *world) begin(plan jobs.Plan) jobs.Job {
	w.Helper()
	job, err := w.jobs.Start(w.Context(), jobs.Start{Token: plan.Token, Kind: bulk.Kind, By: "ops", Reason: "leaked keys"})
	if err != nil {
		w.Fatal(err)
	}
	return job
}

// finish waits until a job has come to its end.
func (w *world) finish(id string) jobs.Job {
	w.Helper()
	return w.job(id, "finished", func(job jobs.Job) bool { return job.State.Finished() })
}

// handedOver waits until all requests of a job are made, and returns what
// became of the items up to there.
func (w *world) handedOver(id string) map[string]int {
	w.Helper()
	job := w.job(id, "handed over", func(job jobs.Job) bool { return job.Position == job.Total })
	for _, later := range []string{jobs.CountPending, jobs.CountDelivered} {
		delete(job.Counts, later)
	}
	return job.Counts
}

// job waits for a job to be as wanted.
func (w *world) job(id, what string, wanted func(jobs.Job) bool) (job jobs.Job) {
	w.Helper()
	w.until("the job is "+what, func() bool {
		var err error
		if job, err = w.jobs.Get(w.Context(), id); err != nil {
			w.Fatal(err)
		}
		return wanted(job)
	})
	return job
}

func (w *world) until(what string, holds func() bool) {
	w.Helper()
	testkit.Eventually(w, what, holds)
}

// requests are those on the stream.
func (w *world) requests() []messages.Request {
	w.Helper()
	var all []messages.Request
	for _, msg := range w.broker.Messages(messages.StreamRequests) {
		requests, err := messages.DecodeRequests(msg.Data)
		if err != nil {
			w.Fatal(err)
		}
		all = append(all, requests...)
	}
	return all
}

// revoked are the public events, one a request.
func (w *world) revoked() map[string]events.Revoked {
	w.Helper()
	all := map[string]events.Revoked{}
	for _, msg := range w.broker.Messages(events.StreamEvents) {
		var e events.Event[events.Revoked]
		if err := json.Unmarshal(msg.Data, &e); err != nil {
			w.Fatal(err)
		}
		all[e.ID] = e.Data
	}
	return all
}

func (w *world) equal(what string, got, want any) {
	w.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
