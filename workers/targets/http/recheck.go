package http

import (
	"context"
	"runtime"
	"sync"

	"github.com/logoutd/logoutd/store"
)

// rechecker asks the store whether devices have registered again. The checks
// that come while one call is under way share the next call; no timer delays
// one.
type rechecker struct {
	turn sync.Mutex // to call the store
	mu   sync.Mutex
	next *recheckBatch // nil: nobody waits
}

// recheckBatch is one call of the store and its result.
type recheckBatch struct {
	checks []store.PushCheck
	done   chan struct{}
	again  []bool
	err    error
}

// ask is [store.Store.Reregistered] for one check.
func (c *rechecker) ask(ctx context.Context, s store.Store, check store.PushCheck) (bool, error) {
	b, i := c.join(check)
	if i == 0 {
		c.call(context.WithoutCancel(ctx), s, b)
	}
	<-b.done
	if b.err != nil {
		return false, b.err
	}
	return b.again[i], nil
}

// join adds a check to the next batch.
func (c *rechecker) join(check store.PushCheck) (b *recheckBatch, i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		c.next = &recheckBatch{done: make(chan struct{})}
	}
	c.next.checks = append(c.next.checks, check)
	return c.next, len(c.next.checks) - 1
}

// call makes the call of a batch when the one before has ended.
func (c *rechecker) call(ctx context.Context, s store.Store, b *recheckBatch) {
	c.turn.Lock()
	defer c.turn.Unlock()
	runtime.Gosched() // let concurrent callers join this batch
	c.mu.Lock()
	c.next = nil
	c.mu.Unlock()
	defer close(b.done)
	b.again, b.err = s.Reregistered(ctx, b.checks)
}
