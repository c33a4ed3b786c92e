package sqlitestore

import "github.com/logoutd/logoutd/store"

// collect reads what bears the mark of the request.
func (h handle) collect(r store.Revocation, result *store.Revoked) error {
	if err := h.collectSessions(r, result); err != nil {
		return err
	}
	sessions, err := h.marked(markedSessions, r.RequestID)
	if err != nil {
		return err
	}
	tokens, err := h.marked(markedTokens, r.RequestID)
	if err != nil {
		return err
	}
	result.Sessions += sessions.count
	result.RefreshTokens = tokens.count
	result.LatestExpiry = fromMillis(max(millis(result.LatestExpiry), sessions.latestExpiry, tokens.latestExpiry))
	return h.rows(`SELECT `+pushColumns+` FROM push_registrations WHERE mark IS ? AND mark <> ''`, []any{r.RequestID},
		func(scan func(...any) error) error {
			p, err := scanPush(scan)
			result.PushRegistrations = append(result.PushRegistrations, p)
			return err
		})
}

// marks sums up the sessions or refresh tokens that bear a mark.
type marks struct {
	count        int
	latestExpiry int64
	keepUntil    int64
}

const (
	markedSessions = `SELECT count(*), coalesce(max(expires_at), 0), coalesce(max(keep_until), 0) FROM sessions WHERE mark = ? AND mark <> ''`
	markedTokens   = `SELECT count(*), coalesce(max(expires_at), 0), coalesce(max(keep_until), 0) FROM refresh_tokens WHERE mark = ? AND mark <> ''`
)

func (h handle) marked(query, mark string) (m marks, err error) {
	_, err = h.row(query, []any{mark}, &m.count, &m.latestExpiry, &m.keepUntil)
	return m, err
}

// collectSessions lists the session presented, whoever's mark it bears, and
// the others that bear the request's. It counts the one that does not.
func (h handle) collectSessions(r store.Revocation, result *store.Revoked) error {
	if r.SessionID != "" {
		var own bool
		var expiresAt int64
		_, err := h.row(`SELECT mark = ?, expires_at FROM sessions WHERE id = ?`, []any{r.RequestID, r.SessionID}, &own, &expiresAt)
		if err != nil {
			return err
		}
		result.SessionIDs = append(result.SessionIDs, r.SessionID)
		result.LatestExpiry = fromMillis(expiresAt)
		if !own {
			result.Sessions++
		}
	}
	return h.rows(`SELECT id FROM sessions WHERE mark = ? AND mark <> '' AND id <> ? ORDER BY expires_at, id LIMIT ? + 0`,
		[]any{r.RequestID, r.SessionID, store.MaxSessionIDs - len(result.SessionIDs)},
		func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			result.SessionIDs = append(result.SessionIDs, id)
			return err
		})
}
