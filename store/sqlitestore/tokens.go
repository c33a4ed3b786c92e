package sqlitestore

import (
	"context"

	"github.com/logoutd/logoutd/store"
)

// PutRefreshTokens implements [store.Store].
func (s *Store) PutRefreshTokens(ctx context.Context, tokens []store.RefreshToken) ([]store.PutResult, error) {
	return register(ctx, s, tokens, func(t store.RefreshToken) string { return t.ID }, handle.putToken)
}

// RefreshTokens implements [store.Store].
func (s *Store) RefreshTokens(ctx context.Context, ids []string) ([]store.RefreshTokenState, error) {
	states := make([]store.RefreshTokenState, len(ids))
	err := s.read(ctx, func(h handle) error {
		for i, id := range ids {
			t, known, err := h.token(id)
			if err != nil {
				return err
			}
			t.ID = id
			states[i] = store.RefreshTokenState{RefreshToken: t.RefreshToken, Known: known, Active: known && t.end(h.now) == 0}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return states, nil
}

// token is a refresh token's row, with the cutoff that covers it. Its
// revokedAt is that of its session where that came first.
type token struct {
	store.RefreshToken
	life
	sessionKept int64 // until then its session is kept; 0: to be looked up
}

// token looks up a refresh token, the cutoff that covers it, and the end of
// the session that it is bound to.
func (h handle) token(id string) (t token, known bool, err error) {
	var ofSession int64
	known, err = h.row(`
		SELECT tenant_id, user_id, session_id, device_id, app_id, authenticated_at, expires_at, revoked_at, keep_until,`+latestCutoff+`, (
			SELECT coalesce(max(s.revoked_at), 0) FROM credentials AS s
			WHERE s.tenant_id = x.tenant_id AND s.user_id = x.user_id AND s.session_id = x.session_id AND s.token_id = '')
		FROM credentials AS x WHERE token_id = ? AND token_id <> '' AND keep_until > ?`,
		[]any{id, h.now}, &t.User.TenantID, &t.User.ID, &t.SessionID, &t.DeviceID, &t.AppID,
		&t.authenticatedAt, &t.expiresAt, &t.revokedAt, &t.keepUntil, &t.cutoff, &ofSession)
	if err != nil || !known {
		return t, false, err
	}
	t.ID, t.AuthenticatedAt, t.ExpiresAt = id, fromMillis(t.authenticatedAt), fromMillis(t.expiresAt)
	if of, fenced := h.fences.of(t.SessionID); fenced && ofSession == 0 {
		ofSession = of.at
	}
	if ofSession != 0 && (t.revokedAt == 0 || ofSession < t.revokedAt) {
		t.revokedAt = ofSession
	}
	return t, true, nil
}

func (h handle) putToken(n store.RefreshToken) (created bool, err error) {
	t, refused := h.admit(n)
	if refused != nil && !ofItem(refused) {
		return false, refused
	}
	if refused == nil { // most are new: what is there already is found out by the insertion
		if inserted, err := h.insertToken(`INSERT OR IGNORE`, t); err != nil || inserted {
			return inserted, err
		}
	}
	have, known, err := h.token(n.ID)
	switch {
	case err != nil:
		return false, err
	case known:
		return false, h.extendToken(have, n.User, millis(n.ExpiresAt))
	case refused != nil:
		return false, refused
	}
	return h.insertToken(`INSERT OR REPLACE`, t) // of one past its time
}

// admit returns the token as it is to be stored, or why it cannot be.
func (h handle) admit(n store.RefreshToken) (token, error) {
	t, err := h.inherit(n)
	if err != nil {
		return token{}, err
	}
	if n.SessionID == "" { // else it is its session's
		if t.cutoff, err = h.cutoffOf(t.User, t.DeviceID); err != nil {
			return token{}, err
		}
	}
	if t.authenticatedAt = millis(t.AuthenticatedAt); n.SessionID == "" && n.RotatedFrom == "" {
		t.authenticatedAt = h.timeOf(n.AuthenticatedAt, t.cutoff)
	}
	return t, h.live(t.life)
}

func (h handle) insertToken(insert string, t token) (inserted bool, err error) {
	rows, err := h.exec(insert+` INTO credentials (token_id, tenant_id, user_id, session_id, device_id, app_id, kind,
			authenticated_at, expires_at, keep_until) VALUES (?, ?, ?, ?, ?, ?, '', ?, ?, ?)`,
		t.ID, t.User.TenantID, t.User.ID, t.SessionID, t.DeviceID, t.AppID,
		t.authenticatedAt, t.expiresAt, t.expiresAt+h.retention)
	if err != nil || rows == 0 {
		return false, err
	}
	return true, h.keepSession(t, t.expiresAt)
}

// extendToken gives a token a later expiry.
func (h handle) extendToken(t token, u store.User, expiresAt int64) error {
	if t.User != u {
		return store.ErrOtherUser
	}
	if err := h.live(t.life); err != nil {
		return err
	}
	_, err := h.exec(`
		UPDATE credentials SET expires_at = ?1, keep_until = ?1 + ?2
		WHERE token_id = ?3 AND token_id <> '' AND expires_at < ?1`,
		expiresAt, h.retention, t.ID)
	if err != nil {
		return err
	}
	return h.keepSession(t, expiresAt)
}

// inherit returns the token with what its parents hand down. Where it names
// both, each must be live and the session is the one that it is bound to.
func (h handle) inherit(n store.RefreshToken) (token, error) {
	t := token{RefreshToken: n, life: life{expiresAt: millis(n.ExpiresAt)}}
	t.DeviceID = ""
	if n.RotatedFrom != "" {
		from, known, err := h.token(n.RotatedFrom)
		if err := h.parent(known, err, from.User == n.User, from.life); err != nil {
			return token{}, err
		}
		t.SessionID, t.DeviceID, t.AuthenticatedAt = from.SessionID, from.DeviceID, from.AuthenticatedAt
	}
	if n.SessionID != "" {
		x, err := h.liveSession(n.SessionID, n.User)
		if err != nil {
			return token{}, err
		}
		t.SessionID, t.DeviceID, t.AuthenticatedAt, t.cutoff = x.ID, x.DeviceID, x.AuthenticatedAt, x.cutoff
		t.sessionKept = x.keepUntil
	}
	return t, nil
}

// liveSession returns the session to which something of the user is bound.
func (h handle) liveSession(id string, u store.User) (session, error) {
	x, known, err := h.sessionOf(u, id)
	if err == nil && known && x.tombstone() {
		return x, h.live(x.life)
	}
	return x, h.parent(known, err, x.User == u, x.life)
}

// parent is the refusal of something bound to, or rotated from, what was
// looked up.
func (h handle) parent(known bool, err error, sameUser bool, l life) error {
	switch {
	case err != nil:
		return err
	case !known:
		return store.ErrUnknownParent
	case !sameUser:
		return store.ErrOtherUser
	}
	return h.live(l)
}
