package workers_test

import (
	"sync"
	"time"
)

// modelClock is the time of a model: the true time, which the schedule moves,
// and how far the clocks of the store and the broker are off.
type modelClock struct {
	mu     sync.Mutex
	now    time.Time
	store  time.Duration
	broker time.Duration
	tell   func(store time.Time) // is told of the store's time whenever it changes; nil: nobody
}

func newModelClock() *modelClock {
	return &modelClock{now: time.Now().UTC().Truncate(time.Millisecond)}
}

func (c *modelClock) read(off *time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if off == nil {
		return c.now
	}
	return c.now.Add(*off)
}

// Now is the true time.
func (c *modelClock) Now() time.Time { return c.read(nil) }

// Store is what the store's clock shows.
func (c *modelClock) Store() time.Time { return c.read(&c.store) }

// Broker is what the broker's clock shows.
func (c *modelClock) Broker() time.Time { return c.read(&c.broker) }

func (c *modelClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.changed()
}

func (c *modelClock) changed() {
	if c.tell != nil {
		c.tell(c.now.Add(c.store))
	}
}

// step sets how far a clock is off.
func (c *modelClock) step(off *time.Duration, to time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*off = to
	c.changed()
}
