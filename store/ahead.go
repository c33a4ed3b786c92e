package store

import "time"

// maxAhead is how far a stored time may be ahead of the store's clock: a login
// that has just happened takes the next millisecond.
const maxAhead = time.Millisecond

// Ahead reports whether a stored time is ahead of the store's clock, which
// shows now. Then it proves nothing.
func Ahead(stored, now time.Time) bool { return stored.Sub(now) > maxAhead }

// Since is a stored time as cutoffs are compared with it where the store's
// clock shows now: one that is ahead counts as from 1970, because nothing
// proves that it is later than any cutoff.
func Since(stored, now time.Time) time.Time {
	if Ahead(stored, now) {
		return time.UnixMilli(1).UTC()
	}
	return stored
}
