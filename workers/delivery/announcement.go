package delivery

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
)

// announceEvery is how often a pause is announced again: well within
// [broker.PausedTTL].
const announceEvery = 10 * time.Second

// announceTimeout bounds one announcement.
const announceTimeout = 2 * time.Second

// Announcement tells the other processes of a pause for as long as it lasts.
type Announcement struct {
	js      jetstream.JetStream
	logger  *slog.Logger
	changed chan struct{} // holds one

	mu     sync.Mutex
	pause  broker.Paused
	paused bool

	// logged is the failure that was warned of last, empty after a success. Only
	// the goroutine of Start uses it.
	logged string
}

// NewAnnouncement returns an announcement for a step and target, which is empty for
// the store.
func NewAnnouncement(js jetstream.JetStream, logger *slog.Logger, step, target string) *Announcement {
	return &Announcement{
		js: js, logger: logger, changed: make(chan struct{}, 1),
		pause: broker.Paused{Step: step, Target: target},
	}
}

// Set records a change between paused and running, with the failure that began
// the pause. It does not wait.
func (n *Announcement) Set(paused bool, code string, refused bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.paused, n.pause.Since, n.pause.Code = paused, events.At(time.Now()), code
	n.pause.Refused = refused
	select {
	case n.changed <- struct{}{}:
	default:
	}
}

func (n *Announcement) state() (broker.Paused, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.pause, n.paused
}

// Start announces pauses until stop is called, and withdraws them then.
func (n *Announcement) Start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var telling sync.WaitGroup
	telling.Go(func() {
		told := false
		for ctx.Err() == nil {
			told = n.publish(ctx, told)
			n.wait(ctx, told)
		}
		if told {
			pause, _ := n.state()
			n.do(context.Background(), pause, broker.DeletePaused)
		}
	})
	return func() {
		cancel()
		telling.Wait()
	}
}

// publish announces what is new, and repeats a pause that lasts. told is whether
// the others believe that there is a pause, and so is the result.
func (n *Announcement) publish(ctx context.Context, told bool) bool {
	pause, paused := n.state()
	switch {
	case paused:
		n.do(ctx, pause, broker.PutPaused)
	case told:
		n.do(ctx, pause, broker.DeletePaused)
	}
	return paused
}

func (n *Announcement) wait(ctx context.Context, again bool) {
	var due <-chan time.Time
	if again {
		timer := time.NewTimer(announceEvery)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-n.changed:
	case <-due:
	case <-ctx.Done():
	}
}

// do changes what is announced. If that fails, the announcement expires by itself.
func (n *Announcement) do(
	ctx context.Context, pause broker.Paused,
	change func(context.Context, jetstream.JetStream, broker.Paused) error,
) {
	ctx, cancel := context.WithTimeout(ctx, announceTimeout)
	defer cancel()
	err := change(ctx, n.js, pause)
	switch {
	case err == nil:
		n.logged = ""
	case err.Error() != n.logged && broker.LogFailure(ctx, n.logger, n.js,
		"pause cannot be announced", "step", pause.Step, "target", pause.Target, "err", err):
		n.logged = err.Error()
	}
}
