package sqlitestore

import "github.com/logoutd/logoutd/store"

const (
	selectPushes = `SELECT ` + pushColumns + `, mark <> '' FROM push_registrations AS p`

	// What was registered later goes too, if a session took it along that the
	// cutoff covers, or that bears the request's mark.
	pushesOfUser = selectPushes + ` WHERE` + ofUser + ` AND (device_id, id) >= (?3, ?4) AND (?5 = '' OR device_id = ?5) AND (
			mark = ?6 AND mark <> '' OR mark = '' AND (registered_at <= ?7 OR registered_at > ?9 + 1 AND` + clearedByPush + ` <= ?9 OR EXISTS (
				SELECT 1 FROM credentials AS s WHERE s.tenant_id = p.tenant_id AND s.user_id = p.user_id
				AND s.session_id = p.session_id AND s.token_id = '' AND (s.authenticated_at <= ?7 OR s.mark = ?6))))
		ORDER BY device_id, id LIMIT ?8 + 0`

	pushesOfDevice = selectPushes + ` WHERE` + ofUser + ` AND device_id = ?3 AND ` + onDevice + ` AND mark IN ('', ?6)`
	pushesBound    = selectPushes + ` INDEXED BY push_registrations_bound WHERE` + ofUser + ` AND session_id = ?7 AND session_id <> ''
		AND NOT (device_id = ?3 AND ` + onDevice + `) AND mark IN ('', ?6)`
	onDevice = `?3 <> '' AND (app_id = ?4 OR app_id = '' OR ?4 = '') AND (registered_at <= ?5 OR registered_at > ?8 + 1 AND` + clearedByPush + ` <= ?8)`
	// clearedByPush is the latest cutoff that a push registration p had to clear.
	clearedByPush = ` max(
		coalesce((SELECT cutoff FROM cutoffs AS c WHERE` + ofPush + ` AND c.device_id = ''), 0),
		coalesce((SELECT cutoff FROM cutoffs AS c WHERE` + ofPush + ` AND c.device_id = p.device_id), 0),
		coalesce((SELECT max(cutoff) FROM push_cutoffs AS c WHERE` + ofPush + ` AND c.device_id = p.device_id
			AND (p.app_id = '' OR c.app_id IN ('', p.app_id))), 0))`
	ofPush = ` c.tenant_id = p.tenant_id AND c.user_id = p.user_id`

	markPush = `UPDATE push_registrations SET mark = ?5 WHERE` + ofUser + ` AND device_id = ?3 AND id = ?4`
)

// markPushes goes through up to so many push registrations that the revocation
// covers, marks them, and tells of all that bears its mark. Those of one session
// are few, and done at once.
func (h handle) markPushes(r *revocation, rows int) (read int, err error) {
	if !r.found.pushes {
		r.stage = end
		return 0, nil
	}
	told := len(r.told.PushRegistrations)
	marked, err := h.pushes(r, rows)
	if err != nil {
		return 0, err
	}
	args := []any{r.User.TenantID, r.User.ID, "", "", r.RequestID}
	for i, p := range r.told.PushRegistrations[told:] {
		if !marked[i] {
			if store.Ahead(p.RegisteredAt, fromMillis(h.now)) && millis(p.RegisteredAt) > r.cutoff {
				r.told.Ahead++
			}
			args[2], args[3] = p.DeviceID, p.ID
			if _, err := h.exec(markPush, args...); err != nil {
				return 0, err
			}
		}
		r.at = after(p.DeviceID, p.ID)
	}
	if r.Scope == store.ScopeSession || len(marked) < rows {
		r.stage = end
	}
	return len(marked), nil
}

// pushes adds up to so many push registrations that the revocation covers to
// what is told, and returns which of them bear its mark already.
func (h handle) pushes(r *revocation, rows int) (marked []bool, err error) {
	var p store.PushRegistration // of each row in turn
	var registeredAt int64
	var bearsMark bool
	dest := []any{&p.ID, &p.User.TenantID, &p.User.ID, &p.DeviceID, &p.AppID, &p.Provider, &p.PushToken,
		&p.SessionID, &registeredAt, &bearsMark}
	scan := func(scan func(...any) error) error {
		err := scan(dest...)
		p.RegisteredAt = fromMillis(registeredAt)
		r.told.PushRegistrations = append(r.told.PushRegistrations, p)
		marked = append(marked, bearsMark)
		return err
	}
	if r.Scope != store.ScopeSession {
		deviceID := ""
		if r.Scope == store.ScopeDevice {
			deviceID = r.DeviceID
		}
		err = h.rows(pushesOfUser, []any{r.User.TenantID, r.User.ID, r.at.first, r.at.second, deviceID, r.RequestID, r.cutoff, rows, h.now}, scan)
		return marked, err
	}
	ofSession := []any{r.User.TenantID, r.User.ID, r.DeviceID, r.AppID, r.cutoff, r.RequestID, r.SessionID, h.now}
	if err := h.rows(pushesOfDevice, ofSession, scan); err != nil {
		return nil, err
	}
	err = h.rows(pushesBound, ofSession, scan)
	return marked, err
}
