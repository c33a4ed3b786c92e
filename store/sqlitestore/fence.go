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
	err := s.in(ctx, s.fencer, left, func(h handle) error {
		return each(asked, func(i int, f store.Fence) (err error) {
			if !ofUser(f) && results[i].Outcome == "" {
				results[i], err = h.fenceSession(f)
			}
			return err
		}, failed)
	})
	if err != nil || !slices.ContainsFunc(asked, ofUser) {
		return err
	}
	return s.write(ctx, left, func(h handle) error {
		return each(asked, func(i int, f store.Fence) (err error) {
			if ofUser(f) {
				results[i], err = h.fenceUser(f)
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
// of its expiry, so that nothing extends it any more.
func (h handle) fenceSession(f store.Fence) (store.Fenced, error) {
	look := h.record
	if f.RefuseBrowser {
		look = h.session
	}
	x, known, err := look(f.SessionID)
	switch {
	case err != nil || !known:
		return store.Fenced{Outcome: store.FenceUnknown}, err
	case f.RefuseBrowser && x.Kind == store.KindBrowser && x.end(h.now) == 0:
		return store.Fenced{Outcome: store.FenceRefused, Session: x.Session}, nil
	}
	outcome, ended := store.FenceEnded, x.revokedAt
	if ended == 0 {
		of, added := h.fences.add(x.ID, f.RequestID, x.keepUntil, x.fencedAt(f))
		if added && x.expiresAt > h.now {
			outcome = store.FenceFenced
		}
		ended = of.at
	}
	return x.fenced(f, outcome, ended), nil
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
