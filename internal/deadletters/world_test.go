package deadletters_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a broker with a projection of its letters.
type world struct {
	testing.TB
	broker *eventstest.Broker // nil where the test has another
	js     jetstream.JetStream
	config deadletters.Config
	*deadletters.Letters
	stop func()
}

func start(t testing.TB) *world {
	t.Helper()
	b := eventstest.Start(t)
	w := over(t, b.JS)
	w.broker = b
	return w
}

// over returns a projection of the letters behind js.
func over(t testing.TB, js jetstream.JetStream) *world {
	t.Helper()
	w := &world{TB: t, js: js, config: deadletters.Config{
		JetStream: js, Path: filepath.Join(t.TempDir(), "letters.db"), Logger: slog.New(slog.DiscardHandler),
	}}
	w.open()
	t.Cleanup(w.close)
	return w
}

// open opens the projection and runs it.
func (w *world) open() {
	w.Helper()
	l, err := deadletters.Open(w.config)
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	w.Letters, w.stop = l, func() {
		cancel()
		if err := <-ended; err != nil {
			w.Errorf("Run: %v", err)
		}
		if err := l.Close(); err != nil {
			w.Errorf("Close: %v", err)
		}
	}
}

func (w *world) close() {
	if w.stop != nil {
		w.stop()
		w.stop = nil
	}
}

func (w *world) settle() {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if err := w.Settled(ctx); err != nil {
		w.Fatal(err)
	}
}

// until waits until the condition holds.
func (w *world) until(what string, holds func() bool) {
	w.Helper()
	testkit.Eventually(w, what, holds)
}

// letter returns the dead letter with number n: each third one is of the
// store, the others of push providers.
func letter(n int) messages.DeadLetter {
	at := noon.Add(time.Duration(n) * time.Second)
	r := messages.Request{
		ID: fmt.Sprintf("session-s%d", n), Dialect: "kratos", Initiator: messages.InitiatorUser, Scope: "session",
		SessionID: fmt.Sprintf("s%d", n), UserID: fmt.Sprintf("u%d", n%7), TenantID: fmt.Sprintf("t%d", n%2),
		AppID: "app", DeviceID: fmt.Sprintf("d%d", n%11), Cutoff: events.At(at), Fenced: true, RequestedAt: events.At(at.Add(-time.Hour)),
	}
	l := messages.DeadLetter{
		ID: r.ID, Step: messages.StepRevoke, Code: "store_refused", Error: fmt.Sprintf("refused %d", n), Attempts: n%5 + 1,
		FirstFailedAt: events.At(at.Add(-time.Minute)), LastFailedAt: events.At(at), FailedAt: events.At(at), Replays: n % 3, Request: &r,
	}
	if n%3 == 0 {
		return l
	}
	task := testkit.PushDelivery(r, events.At(at.Add(-500*time.Millisecond)), testkit.Registration{
		ID: fmt.Sprint(n), UserID: r.UserID, TenantID: r.TenantID, DeviceID: r.DeviceID, AppID: "push-app",
		Provider: fmt.Sprintf("p%d", n%2), PushToken: "the-push-token",
	})
	l.ID, l.Step, l.Target, l.Code, l.Delivery = task.ID, "http", task.Target, fmt.Sprintf("http_%d", 400+n%4), &task
	return l
}

// put puts letters on the stream, and returns their places.
func (w *world) put(all ...messages.DeadLetter) []uint64 {
	w.Helper()
	var acks []jetstream.PubAckFuture
	for _, l := range all {
		ack, err := w.js.PublishMsgAsync(message(w, l))
		if err != nil {
			w.Fatal(err)
		}
		acks = append(acks, ack)
	}
	var seqs []uint64
	for _, ack := range acks {
		select {
		case ok := <-ack.Ok():
			seqs = append(seqs, ok.Sequence)
		case err := <-ack.Err():
			w.Fatal(err)
		}
	}
	return seqs
}

// putMany puts the letters with numbers from from up to, without, to.
func (w *world) putMany(from, to int) []uint64 {
	w.Helper()
	var all []messages.DeadLetter
	for n := from; n < to; n++ {
		all = append(all, letter(n))
	}
	return w.put(all...)
}

// message returns a letter as the events package puts it on the stream.
func message(t testing.TB, l messages.DeadLetter) *nats.Msg {
	t.Helper()
	body, err := json.Marshal(events.Event[messages.DeadLetter]{
		SpecVersion: "1.0", ID: l.ID, Source: "/logoutd", Type: messages.TypeDeadLetter, Time: l.FailedAt,
		DataContentType: "application/json", Data: l,
	})
	if err != nil {
		t.Fatal(err)
	}
	msg := nats.NewMsg("logout.failed." + l.Step + "." + l.ID)
	msg.Data = body
	return msg
}

// stream returns that of the letters.
func (w *world) stream() jetstream.Stream {
	w.Helper()
	s, err := w.js.Stream(context.Background(), messages.StreamFailed)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// list returns the ids of a filter's letters, over pages of such a size.
func (w *world) list(f deadletters.Filter, limit int) []string {
	w.Helper()
	var ids []string
	for after := ""; ; {
		page, err := w.List(context.Background(), f, after, limit)
		if err != nil {
			w.Fatal(err)
		}
		if len(page.Letters) > limit {
			w.Fatalf("a page of %d letters, limit %d", len(page.Letters), limit)
		}
		for _, l := range page.Letters {
			ids = append(ids, l.ID)
		}
		if after = page.Next; after == "" {
			return ids
		}
	}
}

// held returns the places of all letters.
func (w *world) held() []uint64 {
	w.Helper()
	var seqs []uint64
	err := w.Select(context.Background(), deadletters.Filter{}, func(l deadletters.Letter) error {
		seqs = append(seqs, l.Seq)
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return seqs
}
