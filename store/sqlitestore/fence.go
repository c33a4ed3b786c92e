package sqlitestore

import (
	"context"
	"slices"
	"time"

	"github.com/logoutd/logoutd/store"
)

// Fence implements [store.Store]. What the cutoffs of a session's user add to
// the time of its end is left to Revoke.
func (s *Store) Fence(ctx context.Context, asked []store.Fence) ([]store.Fenced, error) {
	results := make([]store.Fenced, len(asked))
	left, err := s.fenceLive(asked, results)
	if err == nil && left > 0 {
		err = s.fenceOthers(ctx, asked, results, left)
	}
	if err == nil {
		err = s.fenceDurably(ctx, asked, func(i int, err error) { results[i] = store.Fenced{Err: err} })
	}
	if err != nil {
		return nil, err
	}
	return results, nil
}

// fenceLive fences the sessions that are remembered, and returns how many of
// the fences are left: those without an outcome.
func (s *Store) fenceLive(asked []store.Fence, results []store.Fenced) (left int, err error) {
	s.calls.RLock()
	defer s.calls.RUnlock()
	if s.closed {
		return 0, unavailable(errClosed)
	}
	for i, f := range asked {
		if x, of, ok := s.fences.addLive(f); ok {
			results[i] = x.fenced(f, store.FenceFenced, of.at)
		} else {
			left++
		}
	}
	return left, nil
}

// fenceOthers fences what has no outcome yet.
func (s *Store) fenceOthers(ctx context.Context, asked []store.Fence, results []store.Fenced, left int) error {
	failed := func(i int, err error) { results[i] = store.Fenced{Err: err} }
	ofUser := func(f store.Fence) bool { return f.SessionID == "" }
	write := make([]bool, len(asked))
	err := s.in(ctx, s.fencer, left, func(h handle) error {
		return each(asked, func(i int, f store.Fence) (err error) {
			if !ofUser(f) && results[i].Outcome == "" {
				results[i], write[i], err = h.fenceSession(f)
			}
			return err
		}, failed)
	})
	if err != nil || !slices.ContainsFunc(asked, ofUser) && !slices.Contains(write, true) {
		return err
	}
	return s.write(ctx, left, func(h handle) error {
		return each(asked, func(i int, f store.Fence) (err error) {
			if ofUser(f) {
				results[i], err = h.fenceUser(f)
			} else if write[i] {
				results[i], err = h.writeEnd(f)
			}
			return err
		}, failed)
	})
}

// fenceDurably puts on disk those fences of sessions that must be.
func (s *Store) fenceDurably(ctx context.Context, asked []store.Fence, failed func(i int, err error)) error {
	var sessionIDs []string
	var positions []int // in asked
	for i, f := range asked {
		if f.Durable && f.SessionID != "" {
			sessionIDs, positions = append(sessionIDs, f.SessionID), append(positions, i)
		}
	}
	if len(sessionIDs) == 0 {
		return nil
	}
	s.calls.RLock()
	defer s.calls.RUnlock()
	if s.closed {
		return unavailable(errClosed)
	}
	return unavailable(s.writeDown(ctx, sessionIDs, func(i int, err error) { failed(positions[i], err) }))
}

// bounded is ms, or at if that is set and earlier.
func bounded(ms int64, at time.Time) int64 {
	if at.IsZero() {
		return ms
	}
	return min(ms, millis(at))
}

func (h handle) fenceUser(f store.Fence) (store.Fenced, error) {
	cutoff := bounded(h.fences.stamp(), f.At)
	err := h.raiseCutoff(f.User, f.DeviceID, cutoff)
	return store.Fenced{Outcome: store.FenceFenced, Cutoff: fromMillis(cutoff)}, err
}

// fenceSession fences a session in memory. One that had expired is fenced as
// of its expiry, so that nothing extends it any more. It reports whether
// something is left that only the writer may do; see writeEnd.
func (h handle) fenceSession(f store.Fence) (fenced store.Fenced, write bool, err error) {
	look := h.record
	if f.RefuseBrowser {
		look = h.session
	}
	x, known, err := look(f.SessionID)
	switch {
	case err != nil || !known || x.tombstone():
		unknown := store.Fenced{Outcome: store.FenceUnknown, Cutoff: fromMillis(bounded(h.now, f.At))}
		return unknown, f.EndUnknown && !known, err
	case f.RefuseBrowser && x.Kind == store.KindBrowser && x.end(h.now) == 0:
		return store.Fenced{Outcome: store.FenceRefused, Session: x.Session}, false, nil
	}
	outcome, ended := store.FenceEnded, x.revokedAt
	if ended == 0 {
		of, added := h.fences.add(x.ID, f.RequestID, x.keepUntil, x.fencedAt(f))
		if added && x.expiresAt > h.now {
			outcome = store.FenceFenced
		}
		ended = of.at
	}
	return x.fenced(f, outcome, ended), !f.At.IsZero() && x.fencedAt(f)(ended) < ended, nil
}

// writeEnd does what a fence needs the writer for: it lowers the end of a
// session that had ended, or leaves a tombstone of an unknown one.
func (h handle) writeEnd(f store.Fence) (store.Fenced, error) {
	fenced, write, err := h.fenceSession(f)
	switch {
	case err != nil || !write:
		return fenced, err
	case fenced.Outcome == store.FenceUnknown:
		return fenced, h.bury(f, millis(fenced.Cutoff))
	}
	x, _, err := h.record(f.SessionID)
	if err != nil {
		return fenced, err
	}
	end := x.fencedAt(f)(h.now)
	return x.fenced(f, fenced.Outcome, end), h.lowerEnd(f.SessionID, end)
}

// bury writes the tombstone of a session that is not known.
func (h handle) bury(f store.Fence, at int64) error {
	_, err := h.exec(`
		INSERT OR REPLACE INTO credentials (session_id, token_id, tenant_id, user_id, device_id, app_id, kind,
			authenticated_at, expires_at, revoked_at, mark, keep_until)
		VALUES (?1, '', '', '', '', '', '', ?2, ?2, ?2, ?3, ?4)`,
		f.SessionID, at, f.RequestID, h.now+h.retention)
	return err
}

// tombstone reports whether the session was logged out before it was registered.
func (x session) tombstone() bool { return x.Kind == "" }

// lowerEnd lets a session that has ended have ended at the time, if that is
// earlier. Only the writer calls it: a fence that is being written down must
// not be lowered in memory alone. What is done stays known: with what else is
// done of the same millisecond, which harms nobody.
func (h handle) lowerEnd(sessionID string, at int64) error {
	h.fences.lower(sessionID, at)
	var ended int64
	found, err := h.row(`
		SELECT revoked_at FROM credentials WHERE session_id = ? AND token_id = '' AND revoked_at > ?`,
		[]any{sessionID, at}, &ended)
	if err != nil || !found {
		return err
	}
	if _, err := h.exec(`
		UPDATE credentials SET revoked_at = ? WHERE session_id = ? AND token_id = ''`, at, sessionID); err != nil {
		return err
	}
	_, err = h.exec(`
		INSERT OR IGNORE INTO done (ended_at, request_id, keep_until)
		SELECT ?, request_id, keep_until FROM done WHERE ended_at = ?`, at, ended)
	return err
}

// fencedAt returns as of when the session is fenced now.
func (x session) fencedAt(f store.Fence) func(now int64) int64 {
	return func(now int64) int64 { return x.within(bounded(now, f.At)) }
}

// fenced is the result for the session, which has ended at the time.
func (x session) fenced(f store.Fence, outcome store.FenceOutcome, ended int64) store.Fenced {
	since := min(x.authenticatedAt, ended) // later only where it was ahead of the clock
	cutoff := max(since, bounded(min(ended, x.expiresAt), f.At))
	return store.Fenced{Outcome: outcome, Session: x.Session, Cutoff: fromMillis(cutoff)}
}
