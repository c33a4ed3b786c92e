package overview_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/overview"
	"github.com/logoutd/logoutd/internal/testkit"
)

// interval is that of the tests' samples.
const interval = 20 * time.Millisecond

// world is a broker, and what the rest of logoutd does to it.
type world struct {
	*testing.T
	js        jetstream.JetStream
	publisher *broker.Publisher
	made      int // requests, tasks and letters; their ids
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return worldOn(t, eventstest.Start(t).JS)
}

func worldOn(t *testing.T, js jetstream.JetStream) *world {
	w := &world{T: t, js: js, publisher: broker.NewPublisher(js, nil)}
	t.Cleanup(w.publisher.Close)
	return w
}

// start runs an overview of the world and waits for its first sample.
func (w *world) start(c overview.Config) *overview.Overview {
	w.Helper()
	c.JetStream, c.Interval = w.js, interval
	o := overview.New(c)
	run(w.T, o.Run)
	eventually(w.T, o, "first sample", func(s overview.Snapshot) bool { return s.BrokerOK })
	return o
}

// run runs something until the test ends or it is stopped, and then waits for it.
func run(t *testing.T, run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	stop = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(stop)
	return stop
}

// eventually waits for a snapshot that is ok, and returns it.
func eventually(t *testing.T, o *overview.Overview, what string, ok func(overview.Snapshot) bool) overview.Snapshot {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if s := o.Now(); ok(s) {
		return s
	}
	for range o.Subscribe(ctx) {
		if s := o.Now(); ok(s) {
			return s
		}
	}
	t.Fatalf("%s: not in time; the latest snapshot is %+v", what, o.Now())
	return overview.Snapshot{}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) request() messages.Request {
	w.made++
	now := events.At(time.Now())
	return messages.Request{
		ID: fmt.Sprintf("session-%d", w.made), Dialect: "kratos", Initiator: messages.InitiatorUser, Scope: "session",
		SessionID: fmt.Sprint("s", w.made), UserID: fmt.Sprint("u", w.made), Cutoff: now, Fenced: true, RequestedAt: now,
	}
}

// requests puts messages of one request each on the broker.
func (w *world) requests(n int) {
	w.Helper()
	for range n {
		w.must(w.publisher.Requests(w.Context(), w.request()))
	}
}

// tasks puts tasks of a push provider on the broker.
func (w *world) tasks(provider string, n int) {
	w.Helper()
	for range n {
		r := w.request()
		task := testkit.PushDelivery(r, r.Cutoff, testkit.Registration{ID: "p", Provider: provider})
		msg, err := task.Message(task.ID)
		w.must(err)
		_, err = w.js.PublishMsg(w.Context(), msg)
		w.must(err)
	}
}

// revoked tells of logouts that are done, and took a time.
func (w *world) revoked(n int, took time.Duration) {
	w.Helper()
	for range n {
		r := w.request()
		msg, err := messages.RevokedMessage(events.Revoked{
			Scope: r.Scope, RequestID: r.ID, RequestedAt: r.RequestedAt, CompletedAt: events.At(r.RequestedAt.Add(took)),
		}, "")
		w.must(err)
		_, err = w.js.PublishMsg(w.Context(), msg)
		w.must(err)
	}
}

// letters gives requests up.
func (w *world) letters(code string, n int) {
	w.Helper()
	for range n {
		r := w.request()
		w.must(w.publisher.DeadLetter(w.Context(), messages.DeadLetter{
			ID: r.ID, Step: messages.StepRevoke, Code: code, Error: "it says " + code, Attempts: 3,
			FirstFailedAt: r.RequestedAt, LastFailedAt: r.RequestedAt, FailedAt: r.RequestedAt, Request: &r,
		}, uint64(w.made)))
	}
}

// worker makes the durable consumer of a worker.
func (w *world) worker(stream, durable, subject string) jetstream.Consumer {
	w.Helper()
	consumer, err := w.js.CreateConsumer(w.Context(), stream, jetstream.ConsumerConfig{
		Durable: durable, FilterSubject: subject, AckPolicy: jetstream.AckExplicitPolicy,
	})
	w.must(err)
	return consumer
}

// take delivers the next message to a worker.
func (w *world) take(consumer jetstream.Consumer) jetstream.Msg {
	w.Helper()
	msg, err := consumer.Next(jetstream.FetchMaxWait(10 * time.Second))
	w.must(err)
	return msg
}

// projection returns the running projection of the world's dead letters.
func (w *world) projection() *deadletters.Letters {
	w.Helper()
	l, err := deadletters.Open(deadletters.Config{
		JetStream: w.js, Path: filepath.Join(w.TempDir(), "letters.db"), Logger: slog.New(slog.DiscardHandler),
	})
	w.must(err)
	w.Cleanup(func() { _ = l.Close() })
	run(w.T, l.Run)
	return l
}

// targets are targets of the kind http.
func targets(names ...string) []messages.TargetName {
	all := make([]messages.TargetName, len(names))
	for i, name := range names {
		all[i] = messages.TargetName{Kind: "http", Name: name}
	}
	return all
}
