package overview_test

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker/embedded"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/overview"
	"github.com/logoutd/logoutd/internal/testkit"
)

// TestOutage: while the broker is away the last figures stay, and say so; when
// it is back they go on. What is asked meanwhile costs no goroutine, and is no
// warning: the connection logs the cause. It runs alone, to count goroutines.
func TestOutage(t *testing.T) {
	w, server, log := worldOfOneConnection(t)
	w.requests(3)
	w.tasks("http", 2)
	all := jobs.New(jobs.Config{JetStream: w.js})
	if _, err := all.List(t.Context(), 1); err != nil { // makes their bucket, which takes goroutines of the broker
		t.Fatal(err)
	}
	o := overview.New(overview.Config{
		JetStream: w.js, Interval: interval, Targets: targets("http"), Jobs: all,
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	without := runtime.NumGoroutine()
	stop := run(t, o.Run)
	before := eventually(t, o, "figures", func(s overview.Snapshot) bool { return s.BacklogMessages == 5 })

	for range 2 {
		server.Close()
		down := eventually(t, o, "the outage", func(s overview.Snapshot) bool { return !s.BrokerOK })
		expectKept(t, before, down)
		samples(t, o, 5)
		goroutines := runtime.NumGoroutine()
		down = samples(t, o, 30)
		if n := runtime.NumGoroutine(); n > goroutines+5 {
			t.Errorf("%d goroutines after 30 samples of an outage, %d before", n, goroutines)
		}
		expectKept(t, before, down)
		if down.StoreOK || !down.At.After(down.FiguresAt) {
			t.Errorf("at %s the figures are of %s", down.At, down.FiguresAt)
		}

		w.must(server.Restart())
		before = eventually(t, o, "the end of the outage", func(s overview.Snapshot) bool { return s.BrokerOK })
		if before.Stale || !before.FiguresAt.Equal(before.At) || before.BacklogMessages != 5 {
			t.Errorf("after the outage: %+v", before)
		}
	}
	w.requests(1)
	eventually(t, o, "another request", func(s overview.Snapshot) bool { return s.BacklogMessages == 6 })
	if n := strings.Count(log.String(), "level=WARN"); n != 0 {
		t.Errorf("%d warnings in two outages:\n%s", n, log)
	}
	stop()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > without; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left, %d were there before", runtime.NumGoroutine(), without)
		}
	}
}

// worldOfOneConnection returns a world on a broker that comes back to the same
// connection.
func worldOfOneConnection(t *testing.T) (*world, *embedded.Broker, *testkit.Log) {
	t.Helper()
	server, err := embedded.Start(embedded.Config{Dir: t.TempDir(), Listen: "-"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	js := eventstest.Connect(t, server, nats.Timeout(200*time.Millisecond), nats.ReconnectWait(10*time.Millisecond), nats.ReconnectJitter(0, 0))
	return worldOn(t, js), server, &testkit.Log{}
}

// expectKept fails unless the figures of an outage are those before it.
func expectKept(t *testing.T, before, down overview.Snapshot) {
	t.Helper()
	if !down.Stale {
		t.Error("the sample is not marked")
	}
	if down.BacklogMessages != before.BacklogMessages || down.BacklogOldest <= 0 {
		t.Errorf("%d messages wait, for %s; there were %d", down.BacklogMessages, down.BacklogOldest, before.BacklogMessages)
	}
	if diff := cmp.Diff(names(before), names(down)); diff != "" {
		t.Errorf("targets before and in the outage:\n%s", diff)
	}
}

func names(s overview.Snapshot) map[string]int {
	pending := map[string]int{}
	for _, target := range s.Targets {
		pending[target.Name] = target.Pending
	}
	return pending
}

// samples waits for n samples and returns the snapshot after them.
func samples(t *testing.T, o *overview.Overview, n int) overview.Snapshot {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	latest := o.Subscribe(ctx)
	for range n {
		if _, ok := <-latest; !ok {
			t.Fatal("no samples")
		}
	}
	return o.Now()
}
