package workers

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
)

// noticeEvery is how often a pause is told again: well within events.PausedTTL.
const noticeEvery = 10 * time.Second

// notice tells the other processes of a pause for as long as it lasts.
type notice struct {
	js      jetstream.JetStream
	logger  *slog.Logger
	changed chan struct{} // holds one

	mu     sync.Mutex
	pause  broker.Paused
	paused bool

	// logged is the failure that was warned of last, empty after a success. Only
	// the goroutine of tell uses it.
	logged string
}

func newNotice(js jetstream.JetStream, logger *slog.Logger, step, target string) *notice {
	return &notice{
		js: js, logger: logger, changed: make(chan struct{}, 1),
		pause: broker.Paused{Step: step, Target: target},
	}
}

// set records a change between paused and running, with the failure that began
// the pause. It does not wait.
func (n *notice) set(paused bool, code string, class Class) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.paused, n.pause.Since, n.pause.Code = paused, events.At(time.Now()), code
	n.pause.Refused = class == Unauthorized
	select {
	case n.changed <- struct{}{}:
	default:
	}
}

func (n *notice) state() (broker.Paused, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.pause, n.paused
}

// tell tells of pauses until stop is called, and of none then.
func (n *notice) tell() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var telling sync.WaitGroup
	telling.Go(func() {
		told := false
		for ctx.Err() == nil {
			told = n.say(ctx, told)
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

// say tells what is new, and a pause that lasts again. told is whether the
// others believe that there is a pause, and so is the result.
func (n *notice) say(ctx context.Context, told bool) bool {
	pause, paused := n.state()
	switch {
	case paused:
		n.do(ctx, pause, broker.PutPaused)
	case told:
		n.do(ctx, pause, broker.DeletePaused)
	}
	return paused
}

func (n *notice) wait(ctx context.Context, again bool) {
	var due <-chan time.Time
	if again {
		timer := time.NewTimer(noticeEvery)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-n.changed:
	case <-due:
	case <-ctx.Done():
	}
}

// do changes what is told. Where that fails, the broker forgets it by itself.
func (n *notice) do(
	ctx context.Context, pause broker.Paused,
	change func(context.Context, jetstream.JetStream, broker.Paused) error,
) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	err := change(ctx, n.js, pause)
	switch {
	case err == nil:
		n.logged = ""
	case err.Error() != n.logged && broker.LogFailure(ctx, n.logger, n.js,
		"a pause cannot be told", "step", pause.Step, "target", pause.Target, "err", err):
		n.logged = err.Error()
	}
}
