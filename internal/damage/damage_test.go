package damage_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/damage"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

func open(t *testing.T, js jetstream.JetStream, path string) *damage.Watch {
	t.Helper()
	return openWith(t, js, path, slog.DiscardHandler)
}

func openWith(t *testing.T, js jetstream.JetStream, path string, log slog.Handler) *damage.Watch {
	t.Helper()
	w, err := damage.Open(damage.Config{JetStream: js, Path: path, Logger: slog.New(log)})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// run lets a process look at the streams until the test ends or stop is called.
func run(t *testing.T, w *damage.Watch) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	stop = func() {
		cancel()
		<-ended
		ended <- nil
	}
	t.Cleanup(stop)
	return stop
}

// counter counts what is logged.
type counter struct{ atomic.Int64 }

func (c *counter) Write(line []byte) (int, error) {
	c.Add(1)
	return len(line), nil
}

func lose(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	if err := js.DeleteStream(t.Context(), messages.StreamRequests); err != nil {
		t.Fatal(err)
	}
	if err := broker.Setup(t.Context(), js); err != nil {
		t.Fatal(err)
	}
}

// TestAcknowledgementIsShared: what an operator acknowledges in one process of
// the role admin is acknowledged in all, also in one that was not running; what
// is lost later is not.
func TestAcknowledgementIsShared(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	path := filepath.Join(t.TempDir(), "streams.json")
	absent := open(t, b.JS, path)
	first, second := open(t, b.JS, filepath.Join(t.TempDir(), "first")), open(t, b.JS, filepath.Join(t.TempDir(), "second"))
	lookOnce := run(t, absent)
	run(t, first)
	run(t, second)
	find := func(want int, watches ...*damage.Watch) {
		t.Helper()
		for _, w := range watches {
			testkit.Eventually(t, "findings", func() bool { return len(w.Findings()) == want })
		}
	}
	testkit.Eventually(t, "all know the streams", func() bool { return absent.Knows() && first.Knows() && second.Knows() })
	lookOnce()

	lose(t, b.JS)
	find(1, first, second)
	found, err := first.Acknowledge()
	if err != nil || len(found) != 1 || len(first.Findings()) != 0 {
		t.Fatalf("acknowledged %+v: %v", found, err)
	}
	find(0, second)
	var losses counter
	back := openWith(t, b.JS, path, slog.NewTextHandler(&losses, &slog.HandlerOptions{Level: slog.LevelError}))
	stop := run(t, back)
	testkit.Eventually(t, "the process that was absent finds it too", func() bool { return losses.Load() == 1 })
	find(0, back)
	stop()

	lose(t, b.JS)
	find(1, first, second)
	if found := open(t, b.JS, path).Findings(); len(found) != 0 {
		t.Errorf("the file of the process that was absent still has %+v", found)
	}
}

// TestAcknowledgementDuringAnOutage: it counts at once in its process, survives a
// restart of that, and is told to the others when the broker is back.
func TestAcknowledgementDuringAnOutage(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	path, other := filepath.Join(t.TempDir(), "streams.json"), filepath.Join(t.TempDir(), "streams.json")
	first, second := open(t, b.JS, path), open(t, b.JS, other)
	stopFirst, stopSecond := run(t, first), run(t, second)
	testkit.Eventually(t, "both know the streams", func() bool { return first.Knows() && second.Knows() })
	lose(t, b.JS)
	testkit.Eventually(t, "both find it", func() bool { return len(first.Findings()) == 1 && len(second.Findings()) == 1 })
	stopFirst()
	stopSecond()
	b.Stop()
	if _, err := first.Acknowledge(); err != nil || len(first.Findings()) != 0 {
		t.Fatalf("during the outage: %+v, %v", first.Findings(), err)
	}
	b.Restart()
	run(t, open(t, b.JS, path))
	second = open(t, b.JS, other)
	run(t, second)
	testkit.Eventually(t, "the other process is told", func() bool { return len(second.Findings()) == 0 })
}
