package sqlitestore

import (
	"math"
	"time"

	"github.com/logoutd/logoutd/store"
)

// millis is t as the database has it; 0 is the zero time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// life is what decides whether a session or refresh token has ended, and when.
type life struct {
	authenticatedAt int64
	expiresAt       int64
	revokedAt       int64 // 0: not revoked
	cutoff          int64 // of its user and device; 0: none
	keepUntil       int64
}

// end is when it ended: the earliest of revocation, expiry and the cutoff that
// overtook it. 0: it is live.
func (l life) end(now int64) int64 {
	end := int64(math.MaxInt64)
	if l.revokedAt != 0 {
		end = l.revokedAt
	}
	if l.expiresAt <= now {
		end = min(end, l.expiresAt)
	}
	if l.authenticatedAt <= l.cutoff {
		end = min(end, l.cutoff)
	}
	if end == math.MaxInt64 {
		return 0
	}
	return end
}

// within is the time given, but neither before it was authenticated nor after
// it expired.
func (l life) within(at int64) int64 { return max(l.authenticatedAt, min(l.expiresAt, at)) }

// live is the refusal of what has ended.
func (h handle) live(l life) error {
	if end := l.end(h.now); end != 0 {
		return &store.RevokedError{Cutoff: fromMillis(end)}
	}
	return nil
}

// timeOf is the time of authentication or registration that a caller gave. Where
// that is ahead of the store's clock, or missing, it is now, after every cutoff
// that stands.
func (h handle) timeOf(given time.Time, cutoff int64) int64 {
	if given.IsZero() || millis(given) > h.now {
		return max(h.next, cutoff+1)
	}
	return millis(given)
}
