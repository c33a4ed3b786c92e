package sqlitestore

import (
	"sync"
	"time"
)

const (
	// maxSetBack is how far a clock may be set back without being followed. One
	// that is set back further was wrong before.
	maxSetBack = time.Minute
	// slew: until it shows again what the clock behind it does, the clock runs slow
	// by a thousandth, which the margin of the workers' bounds allows for.
	slew = 1000
)

// steadyClock is a clock that never goes back, unless the clock behind it was
// wrong by more than maxSetBack: cutoffs and times of authentication are
// compared, and those of before a step would be later than those after it.
type steadyClock struct {
	read func() time.Time

	mu     sync.Mutex
	last   time.Time     // that the clock behind showed
	offset time.Duration // what is added to it
}

func newSteadyClock(read func() time.Time) *steadyClock {
	if read == nil {
		read = time.Now
	}
	return &steadyClock{read: read, last: read().Round(0)}
}

// now returns the time.
func (c *steadyClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.read().Round(0) // wall clock only: it is compared with what is stored
	passed := now.Sub(c.last)
	c.last = now
	switch {
	case passed >= 0:
		c.offset = max(0, c.offset-passed/slew)
	case c.offset-passed > maxSetBack:
		c.offset = 0
	default:
		c.offset -= passed
	}
	return now.Add(c.offset)
}
