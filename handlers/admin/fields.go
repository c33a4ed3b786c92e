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

// session takes the session's id, from the token or as it is.
func (o *object) session() string {
	switch {
	case o.has("session_token") && o.has("session_id"):
		o.refuse("session_id", "give session_token or session_id, not both")
		o.optional("session_token", maxToken)
		return o.sessionID()
	case o.has("session_id"):
		return o.sessionID()
	default:
		return store.TokenID(o.required("session_token", maxToken))
	}
}

// newSession is session for one that is registered: a token that no client could
// send in a cookie is refused, since nobody could log it out. It names the
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
			o.refuse("session_token", "must not contain %q: no cookie can carry it", rune(c))
			return
		}
	}
	if strings.Trim(token, " ") != token {
		o.refuse("session_token", "must not begin or end with a blank: no cookie can carry it")
	}
}

// sessionID takes a session id; "" where it is not there.
func (o *object) sessionID() string {
	id := o.optional("session_id", maxID)
	if id != "" && !store.ValidTokenID(id) {
		o.refuse("session_id", "must be base64url(SHA-256(session token)), 43 characters, unpadded; the token itself goes into session_token")
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

// future takes when something ends.
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
