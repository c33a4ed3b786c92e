package admin

import (
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
