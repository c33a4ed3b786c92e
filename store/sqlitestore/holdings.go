package sqlitestore

import (
	"github.com/logoutd/logoutd/store"
)

// holding is a row of either table: what a user holds, or held once.
type holding struct {
	store.Session        // a session, or what a refresh token or push registration has of one
	second        string // the last part of its key: '' of a session
	push          bool
	life
	sessionRevokedAt int64 // of a refresh token: when the session was that it is bound to
	unreadable       error // then only its key can be relied on
}

const (
	credentialsHeld = `
		SELECT tenant_id, user_id, session_id, token_id, device_id, app_id, kind, authenticated_at, expires_at, revoked_at, keep_until,` + latestCutoff + `, (
			SELECT coalesce(max(s.revoked_at), 0) FROM credentials AS s
			WHERE x.token_id <> '' AND s.tenant_id = x.tenant_id AND s.user_id = x.user_id
			AND s.session_id = x.session_id AND s.token_id = '')
		FROM credentials AS x WHERE `
	// A push registration without a mark is live; it has no expiry.
	pushesHeld = `
		SELECT tenant_id, user_id, device_id, id, device_id, app_id, 'push', registered_at, 0, mark <> '', 0, 0, 0
		FROM push_registrations WHERE `

	credentialsFrom = credentialsHeld + `(tenant_id, user_id, session_id, token_id) > (?, ?, ?, ?)
		ORDER BY tenant_id, user_id, session_id, token_id LIMIT ? + 0`
	pushesFrom = pushesHeld + `(tenant_id, user_id, device_id, id) > (?, ?, ?, ?)
		ORDER BY tenant_id, user_id, device_id, id LIMIT ? + 0`
)

// holdings reads rows of either table. One that cannot be read is among them.
func (h handle) holdings(query string, args ...any) (rows []holding, err error) {
	err = h.rows(query, args, func(scan func(...any) error) error {
		var x holding
		err := scan(&x.User.TenantID, &x.User.ID, &x.ID, &x.second, &x.DeviceID, &x.AppID, (*string)(&x.Kind),
			&x.authenticatedAt, &x.expiresAt, &x.revokedAt, &x.keepUntil, &x.cutoff, &x.sessionRevokedAt)
		if err != nil && ofItem(err) {
			x.unreadable, err = err, nil
		}
		x.push = x.Kind == "push"
		x.AuthenticatedAt, x.ExpiresAt = fromMillis(x.authenticatedAt), fromMillis(x.expiresAt)
		rows = append(rows, x)
		return err
	})
	return rows, err
}

func (x holding) key() []any { return []any{x.User.TenantID, x.User.ID, x.ID, x.second} }

// holds reports whether the row is live, fences in memory considered.
func (h handle) holds(x holding) bool {
	if x.push {
		return x.revokedAt == 0
	}
	_, fenced := h.fences.of(x.ID)
	return !fenced && x.sessionRevokedAt == 0 && x.end(h.now) == 0
}

func (x holding) addTo(holder *store.Holder, now int64) {
	since := store.Since(x.AuthenticatedAt, fromMillis(now))
	if holder.Since.IsZero() || since.Before(holder.Since) {
		holder.Since = since
	}
	if !x.push && x.second == "" {
		holder.Sessions = append(holder.Sessions, x.Session)
	}
}
