package sqlitestore

import (
	"time"

	"github.com/logoutd/logoutd/store"
)

// The cutoffs of a user and of a device, as SQL expressions: 0 where there is
// none. Whatever names no device has its user's only. To look both up at once,
// SQLite would make a table of the two keys each time.
const (
	// Of the arguments ?1 to ?3.
	userCutoff   = ` coalesce((SELECT cutoff FROM cutoffs WHERE` + ofUser + ` AND device_id = ''), 0)`
	deviceCutoff = ` coalesce((SELECT cutoff FROM cutoffs WHERE` + ofDevice + `), 0)`
	// The latest of both, of a row x.
	latestCutoff = ` max(
		coalesce((SELECT cutoff FROM cutoffs AS c WHERE` + ofRow + ` AND c.device_id = ''), 0),
		coalesce((SELECT cutoff FROM cutoffs AS c WHERE` + ofRow + ` AND c.device_id = x.device_id), 0))`
	ofRow = ` c.tenant_id = x.tenant_id AND c.user_id = x.user_id`
)

// cutoffOf is the latest cutoff of user and device; 0 if there is none.
func (h handle) cutoffOf(u store.User, deviceID string) (cutoff int64, err error) {
	_, err = h.row(`SELECT max(`+userCutoff+`,`+deviceCutoff+`)`, []any{u.TenantID, u.ID, deviceID}, &cutoff)
	return cutoff, err
}

// pushCutoffOf is the latest cutoff that covers push registrations of the
// user's device and app. One that names no app is covered by those of all.
func (h handle) pushCutoffOf(u store.User, deviceID, appID string) (int64, error) {
	var ofPush int64
	_, err := h.row(`
		SELECT coalesce(max(cutoff), 0) FROM push_cutoffs
		WHERE tenant_id = ?1 AND user_id = ?2 AND device_id = ?3 AND (?4 = '' OR app_id IN ('', ?4))`,
		[]any{u.TenantID, u.ID, deviceID, appID}, &ofPush)
	if err != nil {
		return 0, err
	}
	ofAll, err := h.cutoffOf(u, deviceID)
	return max(ofPush, ofAll), err
}

// raiseCutoff raises the cutoff of the user, or of the device if one is named.
func (h handle) raiseCutoff(u store.User, deviceID string, cutoff int64) error {
	_, err := h.exec(`
		INSERT INTO cutoffs (tenant_id, user_id, device_id, cutoff, keep_until)
		VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET cutoff = excluded.cutoff, keep_until = max(keep_until, excluded.keep_until)
		WHERE excluded.cutoff > cutoff`,
		u.TenantID, u.ID, deviceID, cutoff, h.now+cutoffRetention)
	return err
}

// raisePushCutoff raises the cutoff of the push registrations of the device,
// of the app if one is named.
func (h handle) raisePushCutoff(u store.User, deviceID, appID string, cutoff int64) error {
	_, err := h.exec(`
		INSERT INTO push_cutoffs (tenant_id, user_id, device_id, app_id, cutoff, keep_until)
		VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET cutoff = excluded.cutoff, keep_until = max(keep_until, excluded.keep_until)
		WHERE excluded.cutoff > cutoff`,
		u.TenantID, u.ID, deviceID, appID, cutoff, h.now+cutoffRetention)
	return err
}

// cutoffRetention is how long a cutoff is kept at least, in milliseconds. The
// sweeper keeps it longer while the user has a credential that lives longer.
const cutoffRetention = int64(store.CutoffRetention / time.Millisecond)
