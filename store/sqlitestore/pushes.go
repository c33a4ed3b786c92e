package sqlitestore

import (
	"context"

	"github.com/logoutd/logoutd/store"
)

// PutPushRegistrations implements [store.Store].
func (s *Store) PutPushRegistrations(ctx context.Context, registrations []store.PushRegistration) ([]store.PutResult, error) {
	return register(ctx, s, registrations, store.PushRegistrationID, handle.putPush)
}

// Reregistered implements [store.Store]. A registration that bears a mark is
// to be deleted, and so was not made again.
func (s *Store) Reregistered(ctx context.Context, checks []store.PushCheck) ([]bool, error) {
	again := make([]bool, len(checks))
	err := s.read(ctx, func(h handle) (err error) {
		for i, c := range checks {
			if again[i], err = h.held(c); err != nil {
				return err
			}
			if again[i] {
				continue
			}
			again[i], err = h.row(`
				SELECT TRUE FROM push_registrations
				WHERE tenant_id = ? AND user_id = ? AND id = ? AND registered_at > ? AND mark = ''`,
				[]any{c.User.TenantID, c.User.ID, c.PushRegistrationID, millis(c.Cutoff)}, &again[i])
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return again, nil
}

// held reports whether another registration, which is newer, has the push token.
func (h handle) held(c store.PushCheck) (bool, error) {
	if c.PushToken == "" {
		return false, nil
	}
	return h.row(`
		SELECT TRUE FROM push_registrations
		WHERE token_id = ? AND token_id <> '' AND id <> ? AND registered_at > ? AND mark = '' LIMIT 1`,
		[]any{store.PushTokenID(c.Provider, c.PushToken), c.PushRegistrationID, millis(c.RegisteredAt)}, new(bool))
}

const pushColumns = `id, tenant_id, user_id, device_id, app_id, provider, push_token, session_id, registered_at`

// putPush stores a registration, or what is new of it; then it bears no mark.
func (h handle) putPush(p store.PushRegistration) (created bool, err error) {
	if p.SessionID != "" {
		if _, err := h.liveSession(p.SessionID, p.User); err != nil {
			return false, err
		}
	}
	cutoff, err := h.pushCutoffOf(p.User, p.DeviceID, p.AppID)
	if err != nil {
		return false, err
	}
	registeredAt := h.timeOf(p.RegisteredAt, cutoff)
	if registeredAt <= cutoff {
		return false, &store.RevokedError{Cutoff: fromMillis(cutoff)}
	}
	id := store.PushRegistrationID(p)
	known, err := h.row(`
		SELECT TRUE FROM push_registrations WHERE tenant_id = ? AND user_id = ? AND device_id = ? AND id = ? AND mark = ''`,
		[]any{p.User.TenantID, p.User.ID, p.DeviceID, id}, new(bool))
	if err != nil {
		return false, err
	}
	_, err = h.exec(`
		INSERT INTO push_registrations (`+pushColumns+`, token_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant_id, user_id, device_id, id) DO UPDATE SET push_token = excluded.push_token, session_id = excluded.session_id,
			registered_at = excluded.registered_at, token_id = excluded.token_id, mark = ''
		WHERE excluded.registered_at >= registered_at OR mark <> ''`,
		id, p.User.TenantID, p.User.ID, p.DeviceID, p.AppID, p.Provider, p.PushToken, p.SessionID, registeredAt,
		store.PushTokenID(p.Provider, p.PushToken))
	return err == nil && !known, err
}
