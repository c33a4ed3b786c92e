package sqlitestore

import (
	"context"

	"github.com/logoutd/logoutd/store"
)

// Finish implements [store.Store]. Its indexes prune themselves: what is left
// to do is to delete the push registrations.
func (s *Store) Finish(ctx context.Context, revocations []store.Revocation) ([]error, error) {
	results := make([]error, len(revocations))
	keep := make([]int64, len(revocations))
	failed := func(i int, err error) { results[i] = err }
	err := s.read(ctx, func(h handle) error {
		return each(revocations, func(i int, r store.Revocation) (err error) {
			keep[i], err = h.keepDone(r)
			return err
		}, failed)
	})
	if err != nil {
		return nil, err
	}
	err = s.inChunks(ctx, len(revocations), func(h handle, i, rows int) (int, error) {
		if results[i] != nil {
			return 0, nil
		}
		return h.finish(revocations[i].RequestID, keep[i], rows)
	}, failed)
	if err != nil {
		return nil, err
	}
	return results, nil
}

// keepDone is until when a request is known as done: at least as long as the
// tombstones of the session presented and of all that bears its mark.
func (h handle) keepDone(r store.Revocation) (int64, error) {
	sessions, err := h.marked(markedSessions, r.RequestID)
	if err != nil {
		return 0, err
	}
	tokens, err := h.marked(markedTokens, r.RequestID)
	if err != nil {
		return 0, err
	}
	presented, _, err := h.session(r.SessionID)
	return max(h.now+h.retention, sessions.keepUntil, tokens.keepUntil, presented.keepUntil), err
}

// finish records that the request is done, and deletes up to so many push
// registrations that bear its mark.
func (h handle) finish(requestID string, keepUntil int64, rows int) (int, error) {
	_, err := h.exec(`
		INSERT INTO done (request_id, keep_until) VALUES (?, ?)
		ON CONFLICT DO UPDATE SET keep_until = max(keep_until, excluded.keep_until)`,
		requestID, keepUntil)
	if err != nil {
		return 0, err
	}
	return h.exec(`DELETE FROM push_registrations WHERE id IN (
		SELECT id FROM push_registrations WHERE mark IS ? AND mark <> '' LIMIT ? + 0)`, requestID, rows)
}
