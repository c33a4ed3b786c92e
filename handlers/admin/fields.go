package admin

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/logoutd/logoutd/store"
)

func (o *object) user() store.User {
	return store.User{TenantID: o.optional("tenant_id", maxID), ID: o.required("user_id", maxID)}
}

// session takes the id of the session, or computes it from the token.
func (o *object) session() string {
	switch {
	case o.has("session_token") && o.has("session_id"):
		o.refuse("session_id", "set either session_token or session_id, not both")
		o.optional("session_token", maxToken)
		return o.sessionID()
	case o.has("session_id"):
		return o.sessionID()
	default:
		return store.TokenID(o.required("session_token", maxToken))
	}
}

// newSession is session for a registration. It refuses a token that no client can
// send in a cookie, because it could not be logged out. The error names the
// character, not the token.
func (o *object) newSession() string {
	var token string
	if raw, ok := o.fields["session_token"]; ok && json.Unmarshal(raw, &token) == nil {
		o.checkToken(token)
	}
	return o.session()
}

func (o *object) checkToken(token string) {
	for _, c := range []byte(token) {
		if c == ';' || c < ' ' || c == 0x7f {
			o.refuse("session_token", "must not contain %q: a cookie cannot carry it", rune(c))
			return
		}
	}
	if strings.Trim(token, " ") != token {
		o.refuse("session_token", "must not begin or end with a blank: a cookie cannot carry it")
	}
}

// sessionID takes a session id; "" if it is missing.
func (o *object) sessionID() string {
	id := o.optional("session_id", maxID)
	if id != "" && !store.ValidTokenID(id) {
		o.refuse("session_id", "must be base64url(SHA-256(session token)), 43 characters, unpadded; send the token itself in session_token")
	}
	return id
}

func (o *object) kind() store.Kind {
	if !o.has("kind") {
		return store.KindAPI
	}
	kind := store.Kind(o.optional("kind", maxID))
	if kind != store.KindAPI && kind != store.KindBrowser {
		o.refuse("kind", "must be api or browser")
	}
	return kind
}

// future takes a required time in the future.
func (o *object) future(name string) time.Time {
	if !o.has(name) {
		o.refuse(name, "is required")
	}
	t := o.time(name)
	if !t.After(time.Now()) {
		o.refuse(name, "must be in the future")
	}
	return t
}
