package sqlitestore

import (
	"context"
	"errors"

	"github.com/logoutd/logoutd/store"
)

// Finish implements [store.Store]. There are no indexes to prune: what is left
// to do is to delete the push registrations.
func (s *Store) Finish(ctx context.Context, revocations []store.Revocation) ([]error, error) {
	results := make([]error, len(revocations))
	err := s.inChunks(ctx, len(revocations), func(h handle, i, rows int) (int, bool, error) {
		f, ok := s.found.of(revocations[i].RequestID)
		return h.finish(revocations[i], f, ok, rows)
	}, func(i int, err error) { results[i] = err })
	if err != nil {
		return nil, err
	}
	return results, nil
}

// Finished implements [store.Store].
func (s *Store) Finished(ctx context.Context, revocations []store.Revocation) ([]bool, error) {
	finished := make([]bool, len(revocations))
	err := s.read(ctx, func(h handle) error {
		return each(revocations, func(i int, r store.Revocation) error {
			if err := h.ofWhom(&r); err != nil {
				return err
			}
			p, err := h.presented(r)
			finished[i] = p.done
			return err
		}, func(int, error) {}) // what cannot be read was not finished
	})
	if err != nil {
		return nil, err
	}
	return finished, nil
}

// finish records that the request is done, and deletes up to so many push
// registrations that bear its mark.
func (h handle) finish(r store.Revocation, f found, ok bool, rows int) (deleted int, more bool, err error) {
	if err := h.ofWhom(&r); err != nil {
		if errors.Is(err, errNoDevice) {
			return 0, false, nil // Revoke has refused it
		}
		return 0, false, err
	}
	if !ok { // in another life of the process, or long ago
		p, err := h.presented(r)
		if err != nil {
			return 0, false, err
		}
		f = h.found(p)
	}
	_, err = h.exec(`
		INSERT INTO done (ended_at, request_id, keep_until) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET keep_until = max(keep_until, excluded.keep_until)`,
		f.endedAt, r.RequestID, f.keepUntil)
	if err != nil || !f.pushes {
		return 0, false, err
	}
	for _, statement := range deletesOf(r) {
		n, err := h.exec(statement, r.User.TenantID, r.User.ID, r.DeviceID, r.SessionID, r.RequestID, rows-deleted)
		if err != nil {
			return 0, false, err
		}
		if deleted += n; deleted == rows {
			return deleted, true, nil
		}
	}
	return deleted, false, nil
}

const (
	deletePushes = `DELETE FROM push_registrations WHERE` + ofUser + ` AND (device_id, id) IN (SELECT device_id, id FROM push_registrations`
	andMarked    = ` AND mark = ?5 AND mark <> '' LIMIT ?6 + 0)`

	deletePushesOfUser   = deletePushes + ` WHERE` + ofUser + andMarked
	deletePushesOfDevice = deletePushes + ` WHERE` + ofUser + ` AND device_id = ?3` + andMarked
	deletePushesBound    = deletePushes + ` INDEXED BY push_registrations_bound WHERE` + ofUser + ` AND session_id = ?4 AND session_id <> ''` + andMarked
)

// deletesOf are the statements that reach what may bear the request's mark.
func deletesOf(r store.Revocation) []string {
	switch r.Scope {
	case store.ScopeUser:
		return []string{deletePushesOfUser}
	case store.ScopeDevice:
		return []string{deletePushesOfDevice}
	}
	return []string{deletePushesOfDevice, deletePushesBound}
}
