package redisstore

import (
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// reply is what a script returned: an array of strings and integers, whose
// tail may be missing.
type reply []any

func replyOf(cmd *redis.Cmd) (reply, error) {
	values, err := cmd.Slice()
	return values, err
}

func (r reply) text(i int) string {
	if i >= len(r) {
		return ""
	}
	s, _ := r[i].(string)
	return s
}

// list is a list in a reply; false: there is none.
func (r reply) list(i int) (reply, bool) {
	if i >= len(r) {
		return nil, false
	}
	list, ok := r[i].([]any)
	return list, ok
}

func (r reply) number(i int) int64 {
	if i >= len(r) {
		return 0
	}
	n, _ := r[i].(int64)
	return n
}

// record is that of a session or refresh token, as the scripts show it.
type record struct {
	found                                 bool
	now                                   int64 // the server's clock when it was read
	user                                  store.User
	device, app, kind, sessionID          string
	authenticatedAt, expiresAt, revokedAt int64 // milliseconds; revokedAt 0: not revoked
	mark                                  string
}

func recordOf(r reply) record {
	return record{
		found:           len(r) > 1,
		now:             r.number(0),
		user:            store.User{TenantID: r.text(1), ID: r.text(2)},
		device:          r.text(3),
		app:             r.text(4),
		kind:            r.text(5),
		sessionID:       r.text(6),
		authenticatedAt: r.number(7),
		expiresAt:       r.number(8),
		revokedAt:       r.number(9),
		mark:            r.text(10),
	}
}

// endedAt is when the record ended as far as it tells itself, 0 while it lives.
func (r record) endedAt() int64 {
	switch {
	case r.revokedAt > 0:
		return min(r.revokedAt, r.expiresAt)
	case r.expiresAt <= r.now:
		return r.expiresAt
	}
	return 0
}

func (r record) session(id string) store.Session {
	if !r.found {
		return store.Session{}
	}
	kind := store.Kind(r.kind)
	if kind == "" {
		kind = store.KindAPI
	}
	return store.Session{
		ID: id, User: r.user, DeviceID: r.device, AppID: r.app, Kind: kind,
		AuthenticatedAt: fromMillis(r.authenticatedAt), ExpiresAt: fromMillis(r.expiresAt),
	}
}

func (r record) refreshToken(id string) store.RefreshToken {
	if !r.found {
		return store.RefreshToken{}
	}
	return store.RefreshToken{
		ID: id, User: r.user, SessionID: r.sessionID, DeviceID: r.device, AppID: r.app,
		AuthenticatedAt: fromMillis(r.authenticatedAt), ExpiresAt: fromMillis(r.expiresAt),
	}
}

// millis is t as Redis keeps it; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// parseMillis reads a time as Redis keeps it; what is absent is 0.
func parseMillis(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	return strconv.ParseInt(text, 10, 64)
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// tombstone reports whether it is that of a session which was logged out before
// it was registered.
func (r record) tombstone() bool { return r.found && r.user.ID == "" && r.revokedAt > 0 }
