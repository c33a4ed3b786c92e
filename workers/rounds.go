package workers

import (
	"slices"
	"time"
)

const (
	// A round takes long that takes more than usualRound, and usualRequest for
	// each request in it: many times what they take in a busy store.
	usualRound   = 100 * time.Millisecond
	usualRequest = time.Millisecond
	// besideLong is how long after a round the next one begins at least while
	// one takes long: its store is busy, and each round makes it sync.
	besideLong = 50 * time.Millisecond
	// maxLong is how many rounds take longer at a time.
	maxLong = 4
)

// rounds are those under way: the latest one, and a few that take long because
// somebody has very many sessions. Nobody else's revocation waits for these.
type rounds struct {
	latest *revokeRound
	long   []*revokeRound
}

// meet waits for those with which a round collides.
func (u *rounds) meet(next *revokeRound) {
	u.long = slices.DeleteFunc(u.long, (*revokeRound).ended)
	for _, other := range u.all() {
		if next.collides(other) {
			other.Wait()
		}
	}
}

// follow makes a round that has begun the latest one, once the one before it
// has ended, or takes long. Where all are held up there is no point in more of
// them.
func (u *rounds) follow(next *revokeRound, heldUp func() bool) {
	if !u.latest.endsWithin(usualRound + time.Duration(u.latest.requests)*usualRequest) {
		if len(u.long) < maxLong && !heldUp() {
			u.long = append(u.long, u.latest)
		} else {
			u.latest.Wait()
		}
	}
	u.latest = next
}

// interval is how long after a round the next one begins at least.
func (u *rounds) interval() time.Duration {
	if len(u.long) > 0 {
		return besideLong
	}
	return roundInterval
}

// Wait waits for all.
func (u *rounds) Wait() {
	for _, r := range u.all() {
		r.Wait()
	}
	u.long = nil
}

func (u *rounds) all() []*revokeRound { return append(slices.Clone(u.long), u.latest) }
