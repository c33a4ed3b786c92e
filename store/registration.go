package store

import "time"

// User names a user: tenant and user id always go together, because two
// tenants may use the same user id. Both are any bytes, up to 256; an empty
// tenant is the default one.
type User struct {
	TenantID string
	ID       string
}

// Kind says how a session is presented, which decides whether a logout by
// cookie needs a CSRF token.
type Kind string

// The kinds of session. The zero value counts as [KindAPI].
const (
	KindAPI     Kind = "api"
	KindBrowser Kind = "browser"
)

// Session is a login that a logout can end.
type Session struct {
	ID       string // TokenID of the session token
	User     User
	DeviceID string // optional
	AppID    string // optional
	Kind     Kind
	// AuthenticatedAt is what cutoffs are compared with. Zero, or ahead of the
	// store's clock: now, and after every cutoff that stands.
	AuthenticatedAt time.Time
	ExpiresAt       time.Time
}

// RefreshToken is a credential that outlives sessions.
type RefreshToken struct {
	ID   string // TokenID of the refresh token
	User User
	// SessionID binds it to a session, which hands down its device and time
	// of authentication. Empty: not bound, unless RotatedFrom is.
	SessionID string
	// RotatedFrom is the id of the token that it replaces, which hands down
	// its binding, device and time of authentication. The replaced token
	// stays as it is, until its own expiry.
	RotatedFrom string
	DeviceID    string // handed down; ignored in a registration
	AppID       string // optional
	// AuthenticatedAt is ignored where it is handed down. Zero, or ahead of
	// the store's clock: now, and after every cutoff that stands.
	AuthenticatedAt time.Time
	ExpiresAt       time.Time
}

// PushRegistration is a device's address at a push provider. It has no
// expiry: it lives until a revocation deletes it.
type PushRegistration struct {
	ID        string // PushRegistrationID; computed by the store, ignored in a registration
	User      User
	DeviceID  string
	AppID     string // optional
	Provider  string
	PushToken string
	SessionID string // optional: the session that it is bound to
	// RegisteredAt is what cutoffs are compared with. Zero, or ahead of the
	// store's clock: now, and after every cutoff that stands.
	RegisteredAt time.Time
}

// PutResult is what became of one registration.
type PutResult struct {
	ID      string // the item's id
	Created bool   // false: it was there already
	// Err is nil, a *[RevokedError], [ErrUnknownParent] or [ErrOtherUser], or
	// a failure of this item alone.
	Err error
}

// SessionState is a session as a check sees it.
type SessionState struct {
	Session
	Known  bool // the store has a record, live or a tombstone
	Active bool // known and not ended
	// EndedAt is when it ended; zero while it is active.
	EndedAt time.Time
	// RevokedBy is the id of the logout request that ended it. Empty: none
	// has (it expired, or a cutoff overtook it), or none has yet.
	RevokedBy string
}

// RefreshTokenState is a refresh token as a check sees it.
type RefreshTokenState struct {
	RefreshToken
	Known  bool
	Active bool
}
