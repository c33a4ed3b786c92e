package store

import "time"

// Holder is a user that holds something live: sessions, refresh tokens or push
// registrations.
type Holder struct {
	User User
	// Since is the earliest time of authentication (of a push registration: of
	// registration) among what was found live, never zero. What is ahead of the
	// store's clock counts as from 1970: every revocation covers it.
	Since time.Time
	// Sessions are those that were found live; none where only refresh tokens
	// or push registrations were.
	Sessions []Session
}

// HolderPage is some of the holders.
type HolderPage struct {
	// At is the store's clock when the page was begun: what is authenticated
	// later is later than this.
	At      time.Time
	Holders []Holder
	// Next is what the next call continues after; empty at the end, and only
	// there.
	Next string
}

// MaxUserRecords is how many sessions, refresh tokens and push registrations,
// of each so many, [Store.Users] looks at.
const MaxUserRecords = 1000

// UserState is what the store holds of a user.
type UserState struct {
	Holder // Since is zero where nothing live was found
	// Cutoff is the time up to which everything of the user is revoked. Zero:
	// there is none.
	Cutoff time.Time
	// Partial: there is more than was looked at.
	Partial bool
	At      time.Time // the store's clock
	Err     error     // a failure of this item alone
}
