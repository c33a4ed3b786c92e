package broker

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/logoutd/logoutd/internal/messages"
)

// groupTimeout is how long a group is tried, resends included. Its callers
// wait as long as their own contexts let them.
const groupTimeout = 2 * AckWait

// grouper lets concurrent callers share one publish: what arrives while a
// group is in flight forms the next one. There is no timer: a lone caller
// never waits for company.
type grouper struct {
	publish func(context.Context, []messages.Encoded) error
	stopped chan struct{}

	mu      sync.Mutex
	queued  *sync.Cond // a part has come, or closed
	waiting []part
	closed  bool
}

// part is requests of one caller that go together: no more than fit into a
// message.
type part struct {
	requests []messages.Encoded
	size     int // in bytes
	done     chan<- error
}

var errClosed = errors.New("publisher closed")

func newGrouper(publish func(context.Context, []messages.Encoded) error) *grouper {
	g := &grouper{publish: publish, stopped: make(chan struct{})}
	g.queued = sync.NewCond(&g.mu)
	go g.run()
	return g
}

// close ends the grouper after the group in flight.
func (g *grouper) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.queued.Signal()
	<-g.stopped
}

func (g *grouper) do(ctx context.Context, requests []messages.Encoded) error {
	parts := divide(requests)
	done := make(chan error, len(parts))
	for i := range parts {
		parts[i].done = done
	}
	if !g.enqueue(parts) {
		return Unavailable("publishing requests", errClosed)
	}
	for range parts {
		select {
		case err := <-done:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return Unavailable("publishing requests", ctx.Err())
		}
	}
	return nil
}

// divide makes parts of requests, as few as the limits of a message allow.
func divide(requests []messages.Encoded) []part {
	var parts []part
	for len(requests) > 0 {
		n, size := 0, 0
		for n < len(requests) && n < messages.MaxBatch && (n == 0 || size+requests[n].Size() <= messages.MaxBatchBytes) {
			size += requests[n].Size()
			n++
		}
		parts = append(parts, part{requests: requests[:n:n], size: size})
		requests = requests[n:]
	}
	return parts
}

func (g *grouper) enqueue(parts []part) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.waiting = append(g.waiting, parts...)
	g.queued.Signal()
	return true
}

func (g *grouper) run() {
	defer close(g.stopped)
	for group := g.next(); group != nil; group = g.next() {
		g.flush(group)
	}
	for _, p := range g.waiting { // nothing comes any more
		p.done <- Unavailable("publishing requests", errClosed)
	}
}

// next waits for parts, and takes as many as one message holds; nil means that
// the grouper is closed.
func (g *grouper) next() []part {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.waiting) == 0 && !g.closed {
		g.queued.Wait()
	}
	if g.closed {
		return nil
	}
	g.mu.Unlock()
	runtime.Gosched() // whoever is about to come joins
	g.mu.Lock()
	n, requests, size := 0, 0, 0
	for _, p := range g.waiting {
		requests, size = requests+len(p.requests), size+p.size
		if n > 0 && (requests > messages.MaxBatch || size > messages.MaxBatchBytes) {
			break
		}
		n++
	}
	group := g.waiting[:n:n]
	if g.waiting = g.waiting[n:]; len(g.waiting) == 0 {
		g.waiting = nil
	}
	return group
}

func (g *grouper) flush(group []part) {
	requests := group[0].requests
	for _, p := range group[1:] {
		requests = append(requests, p.requests...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	err := g.publish(ctx, requests)
	for _, p := range group {
		p.done <- err
	}
}
