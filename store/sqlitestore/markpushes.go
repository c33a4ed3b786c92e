package sqlitestore

import "github.com/logoutd/logoutd/store"

const (
	selectPushes = `SELECT ` + pushColumns + `, mark <> '' FROM push_registrations AS p`

	// What was registered later goes too, if a session took it along that the
	// cutoff covers.
	pushesOfUser = selectPushes + ` WHERE` + ofUser + ` AND (device_id, id) >= (?3, ?4) AND (?5 = '' OR device_id = ?5) AND (
			mark = ?6 AND mark <> '' OR mark = '' AND (registered_at <= ?7 OR EXISTS (
				SELECT 1 FROM credentials AS s WHERE s.tenant_id = p.tenant_id AND s.user_id = p.user_id
				AND s.session_id = p.session_id AND s.token_id = '' AND s.authenticated_at <= ?7)))
		ORDER BY device_id, id LIMIT ?8 + 0`

	pushesOfDevice = selectPushes + ` WHERE` + ofUser + ` AND device_id = ?3 AND ` + onDevice + ` AND mark IN ('', ?6)`
	pushesBound    = selectPushes + ` INDEXED BY push_registrations_bound WHERE` + ofUser + ` AND session_id = ?7 AND session_id <> ''
		AND NOT (device_id = ?3 AND ` + onDevice + `) AND mark IN ('', ?6)`
	onDevice = `?3 <> '' AND (app_id = ?4 OR app_id = '' OR ?4 = '') AND registered_at <= ?5`
)

// markPushes goes through up to so many push registrations that the revocation
// covers, marks them, and tells of all that bears its mark. Those of one session
// are few, and done at once.
func (h handle) markPushes(r *revocation, rows int) (read int, err error) {
	if !r.found.pushes {
		r.stage = end
		return 0, nil
	}
	page, err := h.pushes(r, rows)
	if err != nil {
		return 0, err
	}
	for _, p := range page {
		if !p.marked {
			if err := h.markPush(p, r.RequestID); err != nil {
				return 0, err
			}
		}
		r.told.PushRegistrations = append(r.told.PushRegistrations, p.PushRegistration)
		r.at = after(p.DeviceID, p.ID)
	}
	if r.Scope == store.ScopeSession || len(page) < rows {
		r.stage = end
	}
	return len(page), nil
}

// push is a push registration in a walk.
type push struct {
	store.PushRegistration
	marked bool // by the revocation
}

func (h handle) pushes(r *revocation, rows int) (page []push, err error) {
	scan := func(scan func(...any) error) error {
		var p push
		p.PushRegistration, err = scanPush(scan, &p.marked)
		page = append(page, p)
		return err
	}
	if r.Scope != store.ScopeSession {
		deviceID := ""
		if r.Scope == store.ScopeDevice {
			deviceID = r.DeviceID
		}
		err = h.rows(pushesOfUser, []any{r.User.TenantID, r.User.ID, r.at.first, r.at.second, deviceID, r.RequestID, r.cutoff, rows}, scan)
		return page, err
	}
	ofSession := []any{r.User.TenantID, r.User.ID, r.DeviceID, r.AppID, r.cutoff, r.RequestID, r.SessionID}
	if err := h.rows(pushesOfDevice, ofSession, scan); err != nil {
		return nil, err
	}
	err = h.rows(pushesBound, ofSession, scan)
	return page, err
}

func (h handle) markPush(p push, mark string) error {
	_, err := h.exec(`UPDATE push_registrations SET mark = ? WHERE tenant_id = ? AND user_id = ? AND device_id = ? AND id = ?`,
		mark, p.User.TenantID, p.User.ID, p.DeviceID, p.ID)
	return err
}
