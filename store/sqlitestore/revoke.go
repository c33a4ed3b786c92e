package sqlitestore

import (
	"context"
	"errors"

	"github.com/logoutd/logoutd/store"
)

// Revoke implements [store.Store].
func (s *Store) Revoke(ctx context.Context, revocations []store.Revocation) ([]store.Revoked, error) {
	results := make([]store.Revoked, len(revocations))
	failed := func(i int, err error) { results[i] = store.Revoked{Err: err} }
	err := s.inChunks(ctx, len(revocations), func(h handle, i, rows int) (int, error) {
		return h.revoke(revocations[i], &results[i], rows)
	}, failed)
	if err != nil {
		return nil, err
	}
	err = s.read(ctx, func(h handle) error {
		return each(revocations, func(i int, r store.Revocation) error {
			if results[i].Done || results[i].Err != nil {
				return nil
			}
			return h.collect(r, &results[i])
		}, failed)
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// errNoDevice keeps a revocation by device from becoming one of the user.
var errNoDevice = errors.New("a revocation by device names none")

// revoke writes the cutoff of the request and marks up to so many rows. All
// but the marks is the same when it is done again for the next rows.
func (h handle) revoke(r store.Revocation, result *store.Revoked, rows int) (int, error) {
	if r.User.ID == "" {
		r.Scope = store.ScopeSession // of a session kept elsewhere: nobody to log out
	} else if r.Scope == store.ScopeDevice && r.DeviceID == "" {
		return 0, errNoDevice
	}
	done, err := h.row(`SELECT TRUE FROM done WHERE request_id = ? AND keep_until > ?`, []any{r.RequestID, h.now}, &result.Done)
	if err != nil || done {
		return 0, err
	}
	cutoff, err := h.settle(r)
	if err != nil {
		return 0, err
	}
	result.Cutoff = fromMillis(cutoff)
	if err := h.raise(r, cutoff); err != nil {
		return 0, err
	}
	if r.SessionID != "" {
		if _, _, err := h.revokeSession(r.SessionID, r.RequestID, cutoff); err != nil {
			return 0, err
		}
	}
	return h.mark(r, cutoff, rows)
}

// settle returns the cutoff to apply: the request's, or an earlier one that
// had overtaken the session presented; of several the earliest, which ended
// it. Once it is written as the user's or the device's cutoff, later ones do
// not change it any more.
func (h handle) settle(r store.Revocation) (int64, error) {
	cutoff := millis(r.Cutoff)
	if r.SessionID == "" || r.AuthenticatedAt.IsZero() {
		return cutoff, nil
	}
	_, err := h.row(`
		SELECT min(?1, coalesce(min(cutoff), ?1)) FROM cutoffs
		WHERE tenant_id = ?2 AND user_id = ?3 AND device_id IN ('', ?4) AND cutoff >= ?5`,
		[]any{cutoff, r.User.TenantID, r.User.ID, r.DeviceID, millis(r.AuthenticatedAt)}, &cutoff)
	return cutoff, err
}

// raise raises the cutoff of the scope.
func (h handle) raise(r store.Revocation, cutoff int64) error {
	switch {
	case r.Scope == store.ScopeUser:
		return h.raiseCutoff(r.User, "", cutoff)
	case r.Scope == store.ScopeDevice:
		return h.raiseCutoff(r.User, r.DeviceID, cutoff)
	case r.DeviceID != "":
		return h.raisePushCutoff(r.User, r.DeviceID, r.AppID, cutoff)
	}
	return nil
}
