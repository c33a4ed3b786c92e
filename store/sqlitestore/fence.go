package sqlitestore

import (
	"context"
	"time"

	"github.com/logoutd/logoutd/store"
)

// Fence implements [store.Store]. What the cutoffs of a session's user add to
// the time of its end is left to Revoke.
func (s *Store) Fence(ctx context.Context, fences []store.Fence) ([]store.Fenced, error) {
	results := make([]store.Fenced, len(fences))
	err := s.write(ctx, quick, len(fences), func(h handle) error {
		return each(fences, func(i int, f store.Fence) (err error) {
			if f.SessionID == "" {
				results[i], err = h.fenceUser(f)
			} else {
				results[i], err = h.fenceSession(f)
			}
			return err
		}, func(i int, err error) { results[i] = store.Fenced{Err: err} })
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// bounded is ms, or at if that is set and earlier.
func bounded(ms int64, at time.Time) int64 {
	if at.IsZero() {
		return ms
	}
	return min(ms, millis(at))
}

func (h handle) fenceUser(f store.Fence) (store.Fenced, error) {
	cutoff := bounded(h.now, f.At)
	err := h.raiseCutoff(f.User, f.DeviceID, cutoff)
	return store.Fenced{Outcome: store.FenceFenced, Cutoff: fromMillis(cutoff)}, err
}

func (h handle) fenceSession(f store.Fence) (store.Fenced, error) {
	if f.RefuseBrowser {
		if x, known, err := h.session(f.SessionID); err != nil || known && x.Kind == store.KindBrowser && x.end(h.now) == 0 {
			return store.Fenced{Outcome: store.FenceRefused, Session: x.Session}, err
		}
	}
	x, fenced, err := h.revokeSession(f.SessionID, f.RequestID, bounded(h.now, f.At))
	if err != nil {
		return store.Fenced{}, err
	}
	if fenced {
		return fencedAt(x, x.expiresAt > h.now, x.revokedAt), nil
	}
	x, known, err := h.session(f.SessionID)
	if err != nil || !known {
		return store.Fenced{Outcome: store.FenceUnknown}, err
	}
	return fencedAt(x, false, max(x.authenticatedAt, bounded(min(x.revokedAt, x.expiresAt), f.At))), nil
}

func fencedAt(x session, wasLive bool, cutoff int64) store.Fenced {
	outcome := store.FenceEnded
	if wasLive {
		outcome = store.FenceFenced
	}
	return store.Fenced{Outcome: outcome, Session: x.Session, Cutoff: fromMillis(cutoff)}
}

// revokeSession marks a session that is not revoked, as of the time given, but
// neither before it was authenticated nor after it expired.
func (h handle) revokeSession(id, mark string, at int64) (x session, revoked bool, err error) {
	revoked, err = h.row(`
		UPDATE sessions SET revoked_at = max(authenticated_at, min(expires_at, ?)), mark = ?
		WHERE id = ? AND revoked_at = 0 AND keep_until > ?
		RETURNING `+sessionColumns,
		[]any{at, mark, id, h.now}, x.dest()...)
	x.scanned()
	return x, revoked, err
}
