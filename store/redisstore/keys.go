package redisstore

import (
	"encoding/base64"

	"github.com/logoutd/logoutd/store"
)

func sessionKey(id string) string { return "logoutd:session:{" + id + "}" }

// boundKey is the index of the refresh tokens bound to a session.
func boundKey(sessionID string) string { return sessionKey(sessionID) + ":refresh" }

func refreshKey(id string) string { return "logoutd:refresh:{" + id + "}" }

func requestKey(id string) string { return "logoutd:request:{" + id + "}" }

// userKey is what all keys of a user start with; they share one slot.
type userKey string

func keyOf(u store.User) userKey {
	return userKey("logoutd:user:{" + encode(u.TenantID) + "." + encode(u.ID) + "}")
}

func (k userKey) sessions() string { return string(k) + ":sessions" }
func (k userKey) refresh() string  { return string(k) + ":refresh" }
func (k userKey) push() string     { return string(k) + ":push" }
func (k userKey) cutoff() string   { return string(k) + ":cutoff" }

func (k userKey) registration(id string) string { return k.push() + ":" + id }

func (k userKey) deviceCutoff(device string) string {
	return k.cutoff() + ":device:" + encode(device)
}

func (k userKey) pushCutoffs(device string) string {
	return k.cutoff() + ":push:" + encode(device)
}

func (k userKey) ended(sessionID string) string { return string(k) + ":ended:" + sessionID }

// encode makes any bytes safe in a key.
func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
