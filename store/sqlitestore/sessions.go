package sqlitestore

import (
	"cmp"
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
			if states[i], err = h.state(x, known); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return states, nil
}

func (h handle) state(x session, known bool) (store.SessionState, error) {
	state := store.SessionState{Session: x.Session, Known: known}
	if !known {
		return state, nil
	}
	end := x.end(h.now)
	state.Active, state.EndedAt = end == 0, fromMillis(end)
	if x.revokedAt == 0 {
		return state, nil
	}
	_, err := h.row(`SELECT mark`+fromSessions, []any{x.ID, h.now}, &state.RevokedBy)
	if of, fenced := h.fences.of(x.ID); fenced && state.RevokedBy == "" {
		state.RevokedBy = of.mark
	}
	return state, err
}

// session is a session's row, with the cutoff that covers it.
type session struct {
	store.Session
	life
}

const (
	selectRecord  = `SELECT session_id, tenant_id, user_id, device_id, app_id, kind, authenticated_at, expires_at, revoked_at, keep_until`
	selectSession = selectRecord + `,` + latestCutoff
	fromSessions  = ` FROM credentials AS x WHERE session_id = ?1 AND token_id = '' AND keep_until > ?2`
	ofTheUser     = ` AND tenant_id = ?3 AND user_id = ?4` // lies near the user's other rows; an id may lie anywhere
)

// session looks up a session and the cutoff that covers it.
func (h handle) session(id string) (x session, known bool, err error) {
	known, err = h.scanSession(&x, selectSession+fromSessions, []any{id, h.now}, &x.cutoff)
	return x, known, err
}

// sessionOf is session for one that is the user's in all likelihood.
func (h handle) sessionOf(u store.User, id string) (x session, known bool, err error) {
	known, err = h.scanSession(&x, selectSession+fromSessions+ofTheUser, []any{id, h.now, u.TenantID, u.ID}, &x.cutoff)
	if err == nil && !known {
		return h.session(id)
	}
	return x, known, err
}

// record looks up a session without the cutoff that covers it.
func (h handle) record(id string) (x session, known bool, err error) {
	known, err = h.scanSession(&x, selectRecord+fromSessions, []any{id, h.now})
	return x, known, err
}

// scanSession reads the columns of selectRecord and more. A fence in memory
// counts as the one on disk.
func (h handle) scanSession(x *session, query string, args []any, more ...any) (known bool, err error) {
	dest := append([]any{&x.ID, &x.User.TenantID, &x.User.ID, &x.DeviceID, &x.AppID, (*string)(&x.Kind),
		&x.authenticatedAt, &x.expiresAt, &x.revokedAt, &x.keepUntil}, more...)
	known, err = h.row(query, args, dest...)
	if err != nil || !known {
		return false, err
	}
	x.AuthenticatedAt, x.ExpiresAt = fromMillis(x.authenticatedAt), fromMillis(x.expiresAt)
	if of, fenced := h.fences.of(x.ID); fenced && x.revokedAt == 0 {
		x.revokedAt = of.at
	}
	return true, nil
}

func (h handle) putSession(n store.Session) (created bool, err error) {
	cutoff, err := h.cutoffOf(n.User, n.DeviceID)
	if err != nil {
		return false, err
	}
	l := life{authenticatedAt: h.timeOf(n.AuthenticatedAt, cutoff), expiresAt: millis(n.ExpiresAt), cutoff: cutoff}
	refused := h.live(l)
	if refused == nil { // most are new: what is there already is found out by the insertion
		if inserted, err := h.insertSession(`INSERT OR IGNORE`, n, l); err != nil || inserted {
			return inserted, err
		}
	}
	x, known, err := h.session(n.ID)
	switch {
	case err != nil:
		return false, err
	case known:
		return false, h.extendSession(x, n)
	case refused != nil:
		return false, refused
	}
	return h.insertSession(`INSERT OR REPLACE`, n, l) // of one past its time
}

func (h handle) insertSession(insert string, n store.Session, l life) (inserted bool, err error) {
	rows, err := h.exec(insert+` INTO credentials (session_id, token_id, tenant_id, user_id, device_id, app_id, kind,
			authenticated_at, expires_at, keep_until) VALUES (?, '', ?, ?, ?, ?, ?, ?, ?, ?)`,
		n.ID, n.User.TenantID, n.User.ID, n.DeviceID, n.AppID, string(cmp.Or(n.Kind, store.KindAPI)),
		l.authenticatedAt, l.expiresAt, l.expiresAt+h.retention)
	if err != nil || rows == 0 {
		return false, err
	}
	n.Kind, l.keepUntil = cmp.Or(n.Kind, store.KindAPI), l.expiresAt+h.retention
	h.whenCommitted(func() { h.fences.remember(session{n, l}) })
	return true, nil
}

// extendSession gives a session the expiry of n, if that is later.
func (h handle) extendSession(x session, n store.Session) error {
	if x.tombstone() {
		return h.live(x.life)
	}
	if x.User != n.User {
		return store.ErrOtherUser
	}
	if err := h.live(x.life); err != nil {
		return err
	}
	expiresAt := millis(n.ExpiresAt)
	_, err := h.exec(`
		UPDATE credentials SET expires_at = ?1, keep_until = max(keep_until, ?1 + ?2)
		WHERE session_id = ?3 AND token_id = '' AND expires_at < ?1`,
		expiresAt, h.retention, n.ID)
	x.expiresAt = max(x.expiresAt, expiresAt)
	x.keepUntil = max(x.keepUntil, x.expiresAt+h.retention)
	h.whenCommitted(func() { h.fences.remember(x) })
	return err
}

// keepSession keeps the record of a session as long as a token that is bound
// to it and expires at the time.
func (h handle) keepSession(t token, expiresAt int64) error {
	keepUntil := expiresAt + h.retention
	if t.SessionID == "" || t.sessionKept >= keepUntil {
		return nil
	}
	_, err := h.exec(`
		UPDATE credentials SET keep_until = ?
		WHERE tenant_id = ? AND user_id = ? AND session_id = ? AND token_id = '' AND keep_until < ?`,
		keepUntil, t.User.TenantID, t.User.ID, t.SessionID, keepUntil)
	h.whenCommitted(func() { h.fences.keep(t.SessionID, keepUntil) })
	return err
}
