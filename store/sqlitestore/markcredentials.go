package sqlitestore

import (
	"math"

	"github.com/logoutd/logoutd/store"
)

// position is where a walk through a user's rows goes on: at the first row
// whose key is not before it.
type position struct{ first, second string }

// after is the position behind the row with the key.
func after(first, second string) position { return position{first, second + "\x00"} }

// markCredentials goes through up to so many sessions and refresh tokens: all
// of the user, or those of the session presented. It marks what the revocation
// covers, and tells of all that bears its mark.
func (h handle) markCredentials(r *revocation, rows int) (read int, err error) {
	if r.Scope == store.ScopeSession && r.at == (position{}) {
		r.at.first = r.SessionID
	}
	from := r.at
	page, err := h.credentials(r, rows)
	if err != nil {
		return 0, err
	}
	marks := false
	for _, c := range page {
		if err := h.writeFenceOf(r, &c); err != nil {
			return 0, err
		}
		if c.ahead {
			if err := h.markUnproven(r, &c); err != nil {
				return 0, err
			}
		}
		if c.covered || c.marked || c.tokenID == "" && c.sessionID == r.SessionID {
			r.tell(c)
		}
		if marks = marks || c.covered; c.covered && c.tokenID == "" {
			h.whenCommitted(func() { h.fences.forget(c.sessionID) })
		}
		r.at = after(c.sessionID, c.tokenID)
	}
	if marks {
		last := page[len(page)-1]
		err = h.markRange(r, from, position{last.sessionID, last.tokenID})
	}
	if len(page) < rows {
		r.stage, r.at = ofPushes, position{}
	}
	return len(page), err
}

func (r *revocation) tell(c credential) {
	expiry := fromMillis(c.expiresAt)
	if expiry.After(r.told.LatestExpiry) {
		r.told.LatestExpiry = expiry
	}
	switch {
	case c.tokenID != "":
		r.told.RefreshTokens++
	case c.sessionID == r.SessionID: // told of already
	default:
		r.told.Sessions++
		if len(r.told.SessionIDs) < store.MaxSessionIDs {
			r.told.SessionIDs = append(r.told.SessionIDs, c.sessionID)
		}
	}
}

// credential is a session (tokenID is empty) or refresh token in a walk.
type credential struct {
	sessionID, tokenID string
	expiresAt          int64
	revoked            bool
	marked             bool // by the revocation
	covered            bool // by it, and not revoked yet
	ahead              bool // not covered, but its time is ahead of the clock
}

const (
	ofUser = ` tenant_id = ?1 AND user_id = ?2`
	// covered is what a revocation marks. What is bound to a session goes with
	// it, whenever it was authenticated.
	covered = ` revoked_at = 0 AND expires_at > ?4 AND authenticated_at <= ?5 AND (?6 = '' OR device_id = ?6)`
	// ahead is later than the cutoff, and ahead of the clock.
	ahead = ` revoked_at = 0 AND expires_at > ?4 AND authenticated_at > max(?5, ?4 + 1) AND (?6 = '' OR device_id = ?6)`
	// marked bears the mark of the request.
	marked = ` revoked_at <> 0 AND mark = ?3`

	selectCredentials = `SELECT session_id, token_id, expires_at, revoked_at <> 0,` + marked + `,` + covered + `,` + ahead + `
		FROM credentials WHERE` + ofUser
	credentialsOfUser    = selectCredentials + ` AND (session_id, token_id) >= (?7, ?8) ORDER BY session_id, token_id LIMIT ?9 + 0`
	credentialsOfSession = selectCredentials + ` AND session_id = ?7 AND token_id >= ?8 ORDER BY token_id LIMIT ?9 + 0`

	updateCredentials = `UPDATE credentials SET revoked_at = ?9, mark = ?3 WHERE` + ofUser + `
		AND (session_id, token_id) >= (?7, ?8) AND (session_id, token_id) <= (?10, ?11) AND` + covered
)

// covering are the arguments ?1 to ?6 of the statements above.
func (h handle) covering(r *revocation) []any {
	deviceID, authenticatedUntil := "", r.cutoff
	switch r.Scope {
	case store.ScopeDevice:
		deviceID = r.DeviceID
	case store.ScopeSession:
		authenticatedUntil = math.MaxInt64
	}
	return []any{r.User.TenantID, r.User.ID, r.RequestID, h.now, authenticatedUntil, deviceID}
}

func (h handle) credentials(r *revocation, rows int) (page []credential, err error) {
	query := credentialsOfUser
	if r.Scope == store.ScopeSession {
		query = credentialsOfSession
	}
	err = h.rows(query, append(h.covering(r), r.at.first, r.at.second, rows), func(scan func(...any) error) error {
		var c credential
		err := scan(&c.sessionID, &c.tokenID, &c.expiresAt, &c.revoked, &c.marked, &c.covered, &c.ahead)
		page = append(page, c)
		return err
	})
	return page, err
}

func (h handle) markRange(r *revocation, from, to position) error {
	_, err := h.exec(updateCredentials, append(h.covering(r), from.first, from.second, r.cutoff, to.first, to.second)...)
	return err
}

// writeFenceOf writes the fence of a session that is in memory only, of whichever user
// it is. One that is just what markRange will write is left to that.
func (h handle) writeFenceOf(r *revocation, c *credential) error {
	if c.tokenID != "" {
		return nil
	}
	of, fenced := h.fences.of(c.sessionID)
	if !fenced {
		return nil
	}
	r.written = append(r.written, c.sessionID)
	if c.revoked || c.covered && of.mark == r.RequestID && of.at == r.cutoff {
		return nil
	}
	c.covered, c.ahead, c.marked = false, false, of.mark == r.RequestID
	_, err := h.exec(`
		UPDATE credentials SET revoked_at = ?, mark = ?
		WHERE tenant_id = ? AND user_id = ? AND session_id = ? AND token_id = ''`,
		of.at, of.mark, r.User.TenantID, r.User.ID, c.sessionID)
	return err
}

// markUnproven marks a session or refresh token whose time is ahead of the
// clock: nothing proves that it came after the cutoff. Only where a cutoff that
// it had to clear is ahead of the clock itself, the clock was set back: then the
// times are compared as they are stored.
func (h handle) markUnproven(r *revocation, c *credential) error {
	const key = ofUser + ` AND session_id = ?3 AND token_id = ?4`
	var cutoff int64
	args := []any{r.User.TenantID, r.User.ID, c.sessionID, c.tokenID, r.cutoff, r.RequestID}
	_, err := h.row(`SELECT`+latestCutoff+` FROM credentials AS x WHERE`+key, args, &cutoff)
	if err != nil || cutoff > h.now {
		return err
	}
	if _, err := h.exec(`UPDATE credentials SET revoked_at = ?5, mark = ?6 WHERE`+key, args...); err != nil {
		return err
	}
	c.marked = true
	r.told.Ahead++
	if c.tokenID == "" {
		h.whenCommitted(func() { h.fences.forget(c.sessionID) })
	}
	return nil
}
