package workers

import (
	"sync"
	"time"
)

const (
	// maxRounds is how many rounds are worked on at once: while the store works
	// on one the broker works on another, and a user with very many sessions
	// delays nobody else.
	maxRounds = 4
	// roundInterval is the least time between the beginnings of two rounds: a
	// round for each request would keep the disk from syncing the next one.
	roundInterval = 8 * time.Millisecond
)

// rounds are those that are worked on.
type rounds struct {
	mu      sync.Mutex
	ended   sync.Cond
	current map[*revokeRound]bool
}

func newRounds() *rounds {
	r := &rounds{current: map[*revokeRound]bool{}}
	r.ended.L = &r.mu
	return r
}

// start works on a round in the background, as soon as fewer than [maxRounds]
// are worked on and none collides with it.
func (r *rounds) start(next *revokeRound, work func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.current) >= maxRounds || r.collides(next) {
		r.ended.Wait()
	}
	r.current[next] = true
	go func() {
		defer r.end(next)
		work()
	}()
}

func (r *rounds) collides(next *revokeRound) bool {
	for other := range r.current {
		if next.collides(other) {
			return true
		}
	}
	return false
}

func (r *rounds) end(done *revokeRound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.current, done)
	r.ended.Broadcast()
}

// wait waits until no round is worked on.
func (r *rounds) wait() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.current) > 0 {
		r.ended.Wait()
	}
}
