package workers

import (
	"context"
	"runtime"
	"sync"

	"github.com/logoutd/logoutd/store"
)

// rechecker asks the store whether devices have registered anew. The checks
// that come while one call is under way share the next call; no timer holds
// one back.
type rechecker struct {
	store store.Store
	turn  sync.Mutex // to call the store
	mu    sync.Mutex
	next  *question // nil: nobody waits
}

// question is one call of the store and what came of it.
type question struct {
	checks []store.PushCheck
	done   chan struct{}
	anew   []bool
	err    error
}

// ask is [store.Store.Reregistered] for one check. Nobody may ask with a
// context that ends before that of others.
func (c *rechecker) ask(ctx context.Context, check store.PushCheck) (anew bool, err error) {
	q, place := c.join(check)
	if place == 0 {
		c.call(ctx, q)
	}
	<-q.done
	if q.err != nil {
		return false, q.err
	}
	return q.anew[place], nil
}

// join adds a check to the next question.
func (c *rechecker) join(check store.PushCheck) (q *question, place int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		c.next = &question{done: make(chan struct{})}
	}
	c.next.checks = append(c.next.checks, check)
	return c.next, len(c.next.checks) - 1
}

// call makes the call of a question when the one before has ended.
func (c *rechecker) call(ctx context.Context, q *question) {
	c.turn.Lock()
	defer c.turn.Unlock()
	runtime.Gosched() // whoever can run and is about to ask comes along
	c.mu.Lock()
	c.next = nil // who comes now starts another
	c.mu.Unlock()
	defer close(q.done)
	q.anew, q.err = c.store.Reregistered(ctx, q.checks)
}
