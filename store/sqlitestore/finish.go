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
	return h.deletePushes(r, rows)
}

const (
	ofDevice = ofUser + ` AND device_id = ?3`
	ofMark   = ` AND mark = ?4 AND mark <> ''`
	before   = ` AND (device_id, id) < (?5, ?6)`

	firstMarked = `SELECT device_id, id FROM push_registrations WHERE`
	beyond      = ` ORDER BY device_id, id LIMIT 1 OFFSET ?5 + 0`

	deletePushes = `DELETE FROM push_registrations WHERE`
	deleteBound  = `DELETE FROM push_registrations INDEXED BY push_registrations_bound WHERE` + ofUser +
		` AND session_id = ?3 AND session_id <> ''` + ofMark
)

// deletePushes deletes up to so many push registrations that bear the
// request's mark, and reports whether there are more. Those of one session are
// few, and go at once. It takes two statements where there are more, because
// SQLite keeps a journal of what one deletes that has a subquery.
func (h handle) deletePushes(r store.Revocation, rows int) (deleted int, more bool, err error) {
	args := []any{r.User.TenantID, r.User.ID, r.DeviceID, r.RequestID}
	if r.Scope == store.ScopeSession {
		onDevice, err := h.exec(deletePushes+ofDevice+ofMark, args...)
		if err != nil {
			return 0, false, err
		}
		bound, err := h.exec(deleteBound, r.User.TenantID, r.User.ID, r.SessionID, r.RequestID)
		return onDevice + bound, false, err
	}
	reach := ofUser
	if r.Scope == store.ScopeDevice {
		reach = ofDevice
	}
	var deviceID, id string
	more, err = h.row(firstMarked+reach+ofMark+beyond, append(args, rows), &deviceID, &id)
	switch {
	case err != nil:
	case more:
		deleted, err = h.exec(deletePushes+reach+ofMark+before, append(args, deviceID, id)...)
	default:
		deleted, err = h.exec(deletePushes+reach+ofMark, args...)
	}
	return deleted, more, err
}
