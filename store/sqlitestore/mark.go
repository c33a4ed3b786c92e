package sqlitestore

import "github.com/logoutd/logoutd/store"

// mark marks up to so many rows that the revocation covers, and returns how
// many it did.
func (h handle) mark(r store.Revocation, cutoff int64, rows int) (int, error) {
	statements := h.marksOfUser(r, cutoff)
	if r.Scope == store.ScopeSession {
		statements = h.marksOfSession(r, cutoff)
	}
	marked := 0
	for _, s := range statements {
		if marked == rows {
			break
		}
		n, err := h.exec(s.update, append(s.args, rows-marked)...)
		if err != nil {
			return marked, err
		}
		marked += n
	}
	return marked, nil
}

// marking is a statement that marks; its last argument is how many rows.
type marking struct {
	update string
	args   []any
}

// marksOfUser covers the user, or the device if the scope names one.
func (h handle) marksOfUser(r store.Revocation, cutoff int64) []marking {
	deviceID := ""
	if r.Scope == store.ScopeDevice {
		deviceID = r.DeviceID
	}
	credentials := []any{cutoff, r.RequestID, r.User.TenantID, r.User.ID, deviceID, h.now}
	registrations := []any{r.RequestID, r.User.TenantID, r.User.ID, deviceID, cutoff}
	return []marking{
		{markSessionsOfUser, credentials},
		{markTokensOfUser, credentials},
		{markPushesOfUser, registrations},
	}
}

func (h handle) marksOfSession(r store.Revocation, cutoff int64) []marking {
	return []marking{
		{markTokensOfSession, []any{cutoff, r.RequestID, r.SessionID, h.now}},
		{markPushesOfDevice, []any{r.RequestID, r.User.TenantID, r.User.ID, r.DeviceID, r.AppID, cutoff}},
		{markPushesOfSession, []any{r.RequestID, r.SessionID}},
	}
}

const (
	markSessionsOfUser = `UPDATE sessions` + setRevoked + `(SELECT id FROM sessions` + ofUser
	markTokensOfUser   = `UPDATE refresh_tokens` + setRevoked + `(SELECT id FROM refresh_tokens` + ofUser

	setRevoked = ` SET revoked_at = ?1, mark = ?2 WHERE id IN `
	ofUser     = ` WHERE tenant_id = ?3 AND user_id = ?4 AND (?5 = '' OR device_id = ?5)
		AND revoked_at = 0 AND expires_at > ?6 AND authenticated_at <= ?1 LIMIT ?7 + 0)`

	// What was registered later goes too, if a session took it along that the
	// cutoff covers.
	markPushesOfUser = `UPDATE push_registrations SET mark = ?1 WHERE id IN (
		SELECT id FROM push_registrations AS p WHERE tenant_id = ?2 AND user_id = ?3 AND (?4 = '' OR device_id = ?4)
		AND mark = '' AND (registered_at <= ?5
			OR EXISTS (SELECT 1 FROM sessions AS s WHERE s.id = p.session_id AND s.authenticated_at <= ?5))
		LIMIT ?6 + 0)`

	markTokensOfSession = `UPDATE refresh_tokens` + setRevoked + `(SELECT id FROM refresh_tokens
		WHERE session_id = ?3 AND session_id <> '' AND revoked_at = 0 AND expires_at > ?4 LIMIT ?5 + 0)`

	markPushesOfDevice = `UPDATE push_registrations SET mark = ?1 WHERE id IN (
		SELECT id FROM push_registrations WHERE tenant_id = ?2 AND user_id = ?3 AND device_id = ?4 AND ?4 <> ''
		AND (app_id = ?5 OR app_id = '' OR ?5 = '') AND mark = '' AND registered_at <= ?6 LIMIT ?7 + 0)`

	markPushesOfSession = `UPDATE push_registrations SET mark = ?1 WHERE id IN (
		SELECT id FROM push_registrations WHERE session_id = ?2 AND session_id <> '' AND mark = '' LIMIT ?3 + 0)`
)
