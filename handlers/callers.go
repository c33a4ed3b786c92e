package handlers

import (
	"sync/atomic"
	"time"
)

// Callers tells how busy the front end is: by those who wait for what becomes
// of their logouts, from the arrival to the acknowledged event. The zero value
// is ready; it is safe for concurrent use.
type Callers struct {
	waiting  atomic.Int64
	accepted atomic.Int64
	waited   atomic.Int64 // in ns, by those whose logouts were accepted
}

// Waiting returns how many wait now.
func (c *Callers) Waiting() int { return int(c.waiting.Load()) }

// Accepted returns how many logouts have been accepted so far, and for how long
// their callers have waited, all together.
func (c *Callers) Accepted() (logouts int64, waited time.Duration) {
	return c.accepted.Load(), time.Duration(c.waited.Load())
}

// count counts a caller who came at start while join waits.
func (c *Callers) count(start time.Time, join func() outcome) outcome {
	c.waiting.Add(1)
	defer c.waiting.Add(-1)
	o := join()
	if o == outcomeAccepted {
		c.accepted.Add(1)
		c.waited.Add(int64(time.Since(start)))
	}
	return o
}
