package workers

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/semaphore"
)

const (
	// maxHeld is how many tasks a target holds at once. It is far more than are
	// attempted: while the target is paused, new tasks have to come in, because
	// one of them may show that it is up and only those that came before fail.
	maxHeld = 1000
	// pullTasks is how many tasks one pull takes. The next pull is made while
	// they are worked on.
	pullTasks = 256
)

// held is what a target has pulled and is not done with. While it is kept, the
// broker delivers none of it again.
type held struct {
	places *semaphore.Weighted
	mu     sync.Mutex
	msgs   map[jetstream.Msg]struct{}
}

func newHeld() *held {
	return &held{places: semaphore.NewWeighted(maxHeld), msgs: map[jetstream.Msg]struct{}{}}
}

// reserve reserves places for a whole pull where there are as many, or waits
// for a single one. It returns how many: none once ctx has ended.
func (h *held) reserve(ctx context.Context) int {
	switch {
	case ctx.Err() != nil:
		return 0
	case h.places.TryAcquire(pullTasks):
		return pullTasks
	case h.places.Acquire(ctx, 1) == nil:
		return 1
	default:
		return 0
	}
}

// add puts messages into reserved places and frees those that are left.
func (h *held) add(msgs []jetstream.Msg, reserved int) {
	h.places.Release(int64(reserved - len(msgs)))
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, msg := range msgs {
		h.msgs[msg] = struct{}{}
	}
}

// remove frees the place of a message.
func (h *held) remove(msg jetstream.Msg) {
	h.mu.Lock()
	delete(h.msgs, msg)
	h.mu.Unlock()
	h.places.Release(1)
}

// keep keeps what is held from being delivered again until release is called.
// Where the broker is away it is; that repeats work and costs nothing else.
func (h *held) keep() (release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var keeping sync.WaitGroup
	keeping.Go(func() {
		for wait(ctx, ackWait/3) {
			for _, msg := range h.all() {
				_ = msg.InProgress() // fails where it is done meanwhile
			}
		}
	})
	return func() {
		cancel()
		keeping.Wait()
	}
}

func (h *held) all() []jetstream.Msg {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.msgs))
}
