package sqlitestore

import (
	"context"

	"github.com/logoutd/logoutd/store"
)

// PutSessions implements [store.Store].
func (s *Store) PutSessions(ctx context.Context, sessions []store.Session) ([]store.PutResult, error) {
	return register(ctx, s, sessions, func(x store.Session) string { return x.ID }, handle.putSession)
}

// Sessions implements [store.Store].
func (s *Store) Sessions(ctx context.Context, ids []string) ([]store.SessionState, error) {
	states := make([]store.SessionState, len(ids))
	err := s.read(ctx, func(h handle) error {
		for i, id := range ids {
			x, known, err := h.session(id)
			if err != nil {
				return err
			}
			x.ID = id
			states[i] = store.SessionState{Session: x.Session, Known: known, Active: known && x.end(h.now) == 0}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return states, nil
}

// session is a session's row, with the cutoff that covers it.
type session struct {
	store.Session
	life
}

const sessionColumns = `id, tenant_id, user_id, device_id, app_id, kind, authenticated_at, expires_at, revoked_at, keep_until`

func (x *session) dest() []any {
	return []any{&x.ID, &x.User.TenantID, &x.User.ID, &x.DeviceID, &x.AppID, &x.Kind,
		&x.authenticatedAt, &x.expiresAt, &x.revokedAt, &x.keepUntil}
}

// scanned sets what the columns do not hold in the form that callers get.
func (x *session) scanned() {
	x.AuthenticatedAt, x.ExpiresAt = fromMillis(x.authenticatedAt), fromMillis(x.expiresAt)
}

// session looks up a session and the cutoff that covers it.
func (h handle) session(id string) (x session, known bool, err error) {
	known, err = h.row(`
		SELECT `+sessionColumns+`, (
			SELECT coalesce(max(cutoff), 0) FROM cutoffs AS c
			WHERE c.tenant_id = s.tenant_id AND c.user_id = s.user_id AND c.device_id IN ('', s.device_id))
		FROM sessions AS s WHERE id = ? AND keep_until > ?`,
		[]any{id, h.now}, append(x.dest(), &x.cutoff)...)
	x.scanned()
	return x, known, err
}

func (h handle) putSession(n store.Session) (created bool, err error) {
	x, known, err := h.session(n.ID)
	if err != nil {
		return false, err
	}
	if known {
		return false, h.extendSession(x, n)
	}
	cutoff, err := h.cutoffOf(n.User, n.DeviceID)
	if err != nil {
		return false, err
	}
	l := life{authenticatedAt: h.timeOf(n.AuthenticatedAt, cutoff), expiresAt: millis(n.ExpiresAt), cutoff: cutoff}
	if err := h.live(l); err != nil {
		return false, err
	}
	kind := n.Kind
	if kind == "" {
		kind = store.KindAPI
	}
	_, err = h.exec(`INSERT OR REPLACE INTO sessions (`+sessionColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`,
		n.ID, n.User.TenantID, n.User.ID, n.DeviceID, n.AppID, string(kind),
		l.authenticatedAt, l.expiresAt, l.expiresAt+h.retention)
	return err == nil, err
}

// extendSession gives a session the expiry of n, if that is later.
func (h handle) extendSession(x session, n store.Session) error {
	if x.User != n.User {
		return store.ErrOtherUser
	}
	if err := h.live(x.life); err != nil {
		return err
	}
	expiresAt := millis(n.ExpiresAt)
	_, err := h.exec(`UPDATE sessions SET expires_at = ?1, keep_until = max(keep_until, ?1 + ?2) WHERE id = ?3 AND expires_at < ?1`,
		expiresAt, h.retention, n.ID)
	return err
}

// keepSession keeps the record of a session as long as a token that is bound
// to it.
func (h handle) keepSession(id string, tokenExpiresAt int64) error {
	_, err := h.exec(`UPDATE sessions SET keep_until = ?1 WHERE id = ?2 AND keep_until < ?1`, tokenExpiresAt+h.retention, id)
	return err
}
