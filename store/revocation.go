package store

import "time"

// Scope is how much a logout revokes.
type Scope string

// The scopes.
const (
	// ScopeSession is the session, the refresh tokens bound to it, and its
	// user's push registrations on its device (and app, where session and
	// registration both name one) or bound to it.
	ScopeSession Scope = "session"
	// ScopeUser is everything of the user.
	ScopeUser Scope = "user"
	// ScopeDevice is everything of the user on one device: its sessions, the
	// refresh tokens that carry the device, its push registrations.
	ScopeDevice Scope = "device"
)

// Fence asks for a logout to take effect in checks at once: a session is
// marked as revoked; a user, or a user's device, has its cutoff raised.
type Fence struct {
	RequestID string // becomes the mark of the session
	SessionID string // the session; empty: User, and DeviceID if set
	User      User
	DeviceID  string
	// At, if set, is an upper bound for the cutoff: by the store's clock, where
	// the front end's fence was skipped and a worker fences later.
	At time.Time
	// EndUnknown leaves a tombstone of a session that the store does not know,
	// for the retention: registering it is refused with a *[RevokedError].
	EndUnknown bool
	// RefuseBrowser leaves a live session of kind browser as it is.
	RefuseBrowser bool
	// Durable puts the fence on disk, as far as the backend can know, before
	// the call returns: for a caller that leaves no request behind which
	// would be fenced again after a restart, as a dead letter is not. A
	// backend that writes every fence anyway ignores it.
	Durable bool
}

// FenceOutcome is what a fence found.
type FenceOutcome string

// The outcomes of a fence.
const (
	FenceUnknown FenceOutcome = "unknown" // the store does not know the session
	FenceFenced  FenceOutcome = "fenced"  // it was live and is dead now; or the cutoff stands
	FenceEnded   FenceOutcome = "ended"   // it had ended before
	FenceRefused FenceOutcome = "refused" // it is of kind browser and stays as it was
)

// Fenced is the result of one [Fence].
type Fenced struct {
	Outcome FenceOutcome
	Session Session // the session's record; zero for unknown, user and device
	// Cutoff is the time up to which the logout revokes. Of a session that
	// was live: now (or At, if earlier), but not before its own
	// authentication. Of one that had ended: when it ended, as far as its
	// record tells; Revoke settles what the user's cutoffs add to that. Of one
	// that is unknown: now (or At, if earlier).
	Cutoff time.Time
	Err    error // a failure of this item alone
}

// Revocation is one logout request, as the store's part of it.
type Revocation struct {
	RequestID string
	Scope     Scope
	SessionID string // the session presented; empty where an operator named a user
	User      User
	DeviceID  string // of the session presented, or the device named
	AppID     string // of the session presented
	// AuthenticatedAt is that of the session presented, zero without one.
	AuthenticatedAt time.Time
	Cutoff          time.Time
}

// MaxSessionIDs is how many session ids a [Revoked] lists.
const MaxSessionIDs = 1000

// Revoked is the result of one [Revocation].
type Revoked struct {
	// Done: Finish has run for the request, so everything was told; only what
	// a broken-off Finish left is to be done. Nothing else but Err is set.
	Done bool
	// Cutoff is the one that was applied: the revocation's, or an earlier
	// time, where a cutoff had overtaken the session presented.
	Cutoff time.Time
	// SessionIDs are the sessions that bear the request's mark, the one
	// presented first and in any case; the first MaxSessionIDs of them.
	SessionIDs []string
	Sessions   int // how many there are
	// RefreshTokens is how many bear the request's mark.
	RefreshTokens int
	// PushRegistrations are all that bear the request's mark.
	PushRegistrations []PushRegistration
	// Ahead is how many of all these were marked by this call though their
	// time is later than Cutoff, because it is ahead of the store's clock.
	Ahead int
	// LatestExpiry is that of the sessions listed or marked and of the refresh
	// tokens marked, zero where there is none.
	LatestExpiry time.Time
	Err          error // a failure of this item alone
}

// PushCheck asks whether a provider must keep the push token of a registration
// that was revoked.
type PushCheck struct {
	User               User
	PushRegistrationID string
	Cutoff             time.Time
	// Provider, PushToken and RegisteredAt are those of the registration when it
	// was revoked. Without a push token nobody else is looked for who has it.
	Provider     string
	PushToken    string
	RegisteredAt time.Time
}

// CutoffRetention is how long a cutoff is kept at least, counted from its last
// rise: the longest that a browser keeps a cookie (RFC 6265bis, section 5.5:
// 400 days).
const CutoffRetention = 400 * 24 * time.Hour

// DefaultRetention is how long a tombstone is kept after the latest expiry of
// the session and of everything bound to it: a mobile client that logs out
// offline sends it a day late, after a weekend two or three.
const DefaultRetention = 72 * time.Hour
