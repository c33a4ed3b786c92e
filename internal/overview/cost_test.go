package overview_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/overview"
)

// TestCost: a sample asks the broker about as much with fifty targets, all with
// a backlog and paused, under load, as with one.
func TestCost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.requests(20)
	w.worker(messages.StreamRequests, messages.ConsumerRevoker, messages.SubjectRequests)
	var providers []string
	for i := range 50 {
		name := fmt.Sprintf("p%d", i)
		providers = append(providers, name)
		w.tasks(name, 2)
		w.worker(messages.StreamTasks, messages.ConsumerTarget("http", name), messages.SubjectTask("http", name))
		w.must(broker.PutPaused(t.Context(), w.js, broker.Paused{Step: "http", Target: name, Since: events.At(time.Now())}))
	}
	one, fifty := w.cost(providers[:1]), w.cost(providers)
	t.Logf("%.1f messages to the broker a sample for one target, %.1f for fifty", one, fifty)
	if max(one, fifty) > 10 || fifty > one+1 {
		t.Error("that is more than a few")
	}
}

// cost returns how many messages a sample sends to the broker, once the first
// has asked for everything.
func (w *world) cost(providers []string) float64 {
	w.Helper()
	conn := w.js.Conn()
	o := overview.New(overview.Config{JetStream: w.js, Interval: interval, Targets: targets(providers...)})
	stop := run(w.T, o.Run)
	first := samples(w.T, o, 1)
	before, mine := conn.Stats().OutMsgs, uint64(0)
	for range 40 {
		w.revoked(2, 0)
		mine += 2
		samples(w.T, o, 1)
	}
	stop()
	return float64(conn.Stats().OutMsgs-before-mine) / float64(len(o.History(first.At)))
}
