package status

import (
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/outcomes"
)

// State is how far a logout has come.
type State string

// The states.
const (
	Unknown State = "unknown" // no trace was found
	Active  State = "active"  // live, and no logout is on its way
	Pending State = "pending" // accepted, and not done yet
	Revoked State = "revoked" // done: nothing live is left of what it covers
	Expired State = "expired" // it ended by itself, without a logout
	Failed  State = "failed"  // a part of it was given up: see Failed
)

// Status is what is known of one logout, session or user. Whatever is not
// known is zero.
type Status struct {
	RequestID string
	State     State

	Scope     string // session, user or device
	Dialect   string
	Reason    string
	TenantID  string
	UserID    string
	DeviceID  string
	AppID     string
	SessionID string

	RequestedAt time.Time
	// RevokedAt is when it was done; of a session, when it ended.
	RevokedAt time.Time
	// Cutoff is the time up to which it revokes; of a user, up to which
	// everything is revoked.
	Cutoff time.Time

	// Sessions are the session asked for, or a user's live ones (the first
	// 1,000).
	Sessions []SessionStatus
	// Failed are the dead letters that belong to it, at most 100.
	Failed []deadletters.Letter
	// Event is the public event that told of it.
	Event *events.Revoked
	// Waiting are the targets that have still to be told; DeliveriesKnown tells
	// that it is known that there are no others.
	Waiting         []outcomes.Waiting
	DeliveriesKnown bool
	// NotAsked are the places that could not be asked: store, broker.
	NotAsked []string
	// Told: it is known that no target has still to be told of it.
	Told bool
	// Note says in words what the state rests on, and what it cannot tell.
	Note string
}

// SessionStatus is a session as the store has it.
type SessionStatus struct {
	SessionID       string
	Active          bool
	DeviceID        string
	AppID           string
	AuthenticatedAt time.Time
	ExpiresAt       time.Time
	EndedAt         time.Time
	// RevokedBy is the id of the logout request that ended it.
	RevokedBy string
}
