package handlers

import "sync/atomic"

// Callers tells how busy the front end is: by those who wait for what becomes
// of their logouts, from the arrival to the acknowledged event. The zero value
// is ready; it is safe for concurrent use.
type Callers struct{ waiting atomic.Int64 }

// Waiting returns how many wait now.
func (c *Callers) Waiting() int { return int(c.waiting.Load()) }
