package overview_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/overview"
)

// TestBacklogCountsWhatIsNotDone: before there is a worker, while it holds a
// message, and up to the end.
func TestBacklogCountsWhatIsNotDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begin := time.Now()
	w.requests(3)
	o := w.start(overview.Config{})

	pending := func(n int) overview.Snapshot {
		t.Helper()
		return eventually(t, o, fmt.Sprintf("%d waiting", n), func(s overview.Snapshot) bool { return s.BacklogMessages == n })
	}
	s := pending(3)
	if s.BacklogOldest <= 0 || s.BacklogOldest > time.Since(begin) {
		t.Errorf("the oldest waits for %s, of the %s that the test takes", s.BacklogOldest, time.Since(begin))
	}
	worker := w.worker(messages.StreamRequests, messages.ConsumerRevoker, messages.SubjectRequests)
	first, second := w.take(worker), w.take(worker)
	w.must(second.DoubleAck(t.Context()))
	s = pending(2)
	if s.BacklogOldest <= 0 {
		t.Error("the message in the worker's hand is not the oldest")
	}
	w.must(first.DoubleAck(t.Context()))
	pending(1)
	w.must(w.take(worker).DoubleAck(t.Context()))
	if s = pending(0); s.BacklogOldest != 0 {
		t.Errorf("nothing waits, for %s", s.BacklogOldest)
	}
}

// TestTargets: each has its own backlog, in the order of the settings; those
// that nobody is configured to do are told while they have tasks.
func TestTargets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.requests(1)
	w.tasks("c", 3)
	w.tasks("b", 2)
	w.tasks("left", 4)
	o := w.start(overview.Config{Targets: targets("c", "a", "b")})
	push := func(name string, configured bool, pending int) overview.Target {
		return overview.Target{Step: "http", Name: name, Configured: configured, Pending: pending}
	}
	store := overview.Target{Step: messages.StepRevoke, Configured: true, Pending: 1}
	expectTargets(t, o, store, push("c", true, 3), push("a", true, 0), push("b", true, 2), push("left", false, 4))

	worker := w.worker(messages.StreamTasks, messages.ConsumerTarget("http", "left"), messages.SubjectTask("http", "left"))
	for range 4 { // by a worker whose settings name it; the tasks stay until they are purged
		w.must(w.take(worker).DoubleAck(t.Context()))
	}
	w.tasks("a", 1)
	w.tasks("another", 1)
	expectTargets(t, o, store, push("c", true, 3), push("a", true, 1), push("b", true, 2), push("another", false, 1))
	if s := o.Now(); s.BacklogMessages != 8 {
		t.Errorf("%d messages wait in all, want 8", s.BacklogMessages)
	}
}

// TestPaused: what workers tell of their pauses is shown with its target.
func TestPaused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(overview.Config{Targets: targets("http", "other")})
	since := events.At(time.Now().Add(-time.Minute))
	push := broker.Paused{Step: "http", Target: "http", Since: since, Code: "http_503"}
	store := broker.Paused{Step: messages.StepRevoke, Since: since}
	w.must(broker.PutPaused(t.Context(), w.js, push))
	w.must(broker.PutPaused(t.Context(), w.js, store))
	other := overview.Target{Step: "http", Name: "other", Configured: true}
	expectTargets(t, o,
		overview.Target{Step: messages.StepRevoke, Configured: true, Paused: true, PausedSince: since.Time},
		overview.Target{Step: "http", Name: "http", Configured: true,
			Paused: true, PausedSince: since.Time, PausedCode: "http_503"},
		other)

	w.must(broker.DeletePaused(t.Context(), w.js, push))
	w.must(broker.DeletePaused(t.Context(), w.js, store))
	expectTargets(t, o,
		overview.Target{Step: messages.StepRevoke, Configured: true},
		overview.Target{Step: "http", Name: "http", Configured: true}, other)
}

// expectTargets waits for the targets, whose Oldest has to fit their Pending.
func expectTargets(t *testing.T, o *overview.Overview, want ...overview.Target) {
	t.Helper()
	diff := ""
	defer func() {
		if t.Failed() {
			t.Log(diff)
		}
	}()
	s := eventually(t, o, "targets", func(s overview.Snapshot) bool {
		diff = cmp.Diff(want, s.Targets, cmpopts.IgnoreFields(overview.Target{}, "Oldest"))
		return diff == ""
	})
	for _, target := range s.Targets {
		if (target.Pending > 0) != (target.Oldest > 0) {
			t.Errorf("%d messages of %q wait, for %s", target.Pending, target.Name, target.Oldest)
		}
	}
}
