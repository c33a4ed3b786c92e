package store

import (
	"context"
	"time"
)

// Store keeps sessions, refresh tokens, push registrations and cutoffs.
//
// Every method takes a batch and returns one result an item, in order; a
// backend does each stage of a batch in one pipeline or one transaction. A
// call fails as a whole only where the store cannot be used ([ErrUnavailable],
// or the context's error); then any part of it may have been done, and
// repeating it is harmless: every method is idempotent. Items of one batch
// take effect as if applied in order.
//
// A Store is safe for concurrent use, by any number of processes.
type Store interface {
	// PutSessions registers sessions, or extends the expiry of those that
	// are registered (never shortens it, and changes nothing else). One that
	// has ended, or was authenticated at or before a cutoff of its user or
	// device, is refused with a *RevokedError. A registration that races a
	// revocation is refused or revoked: nothing live stays behind.
	PutSessions(ctx context.Context, sessions []Session) ([]PutResult, error)

	// PutRefreshTokens registers refresh tokens, by the rules of PutSessions.
	// A parent (SessionID, RotatedFrom) that has ended refuses the token with
	// a *RevokedError; but a token may be rotated after the session it is
	// bound to has expired, as long as that was not revoked. The record of a
	// session is kept as long as any refresh token bound to it.
	PutRefreshTokens(ctx context.Context, tokens []RefreshToken) ([]PutResult, error)

	// PutPushRegistrations registers push registrations, or replaces the
	// push token, the binding and the time of those that are registered, if
	// the new time is not earlier. Refused with a *RevokedError: one that is
	// bound to a session which has ended, or registered at or before a
	// cutoff that covers it.
	PutPushRegistrations(ctx context.Context, registrations []PushRegistration) ([]PutResult, error)

	// Sessions looks sessions up by id, cutoffs considered.
	Sessions(ctx context.Context, ids []string) ([]SessionState, error)

	// RefreshTokens looks refresh tokens up by id, cutoffs and the session
	// that each is bound to considered.
	RefreshTokens(ctx context.Context, ids []string) ([]RefreshTokenState, error)

	// Reregistered reports for each check whether the provider must keep the
	// push token: the registration exists with a RegisteredAt after the cutoff,
	// or another one that was registered later has the same push token at the
	// same provider, and no revocation covers it. A push token is one
	// installation of an app, and belongs to the newest registration that has it.
	Reregistered(ctx context.Context, checks []PushCheck) ([]bool, error)

	// Fence makes logouts take effect in checks, in one round trip. A session
	// that had expired without being revoked is marked as revoked at its
	// expiry (or At, if earlier), so that nothing extends it any more. One that
	// was revoked keeps its mark, and has ended at the earlier of its end and
	// what this fence makes of it.
	Fence(ctx context.Context, fences []Fence) ([]Fenced, error)

	// Revoke writes the cutoffs of the requests, marks everything they cover
	// as revoked by them, and returns what bears their marks, so that it can
	// be told. What one request has marked stays its own: a later request
	// does not mark it again (but its own presented session is always listed).
	// A session revoked by another's logout has ended at that logout's cutoff.
	// If a cutoff of the user or the device has overtaken the session
	// presented, that cutoff (of both the earlier) is applied in place of a
	// later one of the request: a dead session has no power over what came
	// after it. Without a user id it is a revocation by ScopeSession. A
	// revocation by ScopeUser or ScopeDevice with a presented session raises
	// the cutoff; one by ScopeSession raises only that of the push
	// registrations of the session's device and app.
	//
	// Whatever is revoked when Revoke returns is on disk, as far as the
	// backend can know.
	Revoke(ctx context.Context, revocations []Revocation) ([]Revoked, error)

	// Finish records that the requests were told, then prunes the indexes
	// and deletes the push registrations that bear their marks (and were not
	// made again). Tombstones stay until their retention ends. The results are
	// failures of single items.
	Finish(ctx context.Context, revocations []Revocation) ([]error, error)

	// Finished reports of each request whether it was told: whether Finish has
	// run for it. RequestID, SessionID and User decide, as they were given to
	// Finish. It is known as long as the tombstone of the session presented, at
	// least for the retention; later the answer is no.
	Finished(ctx context.Context, revocations []Revocation) ([]bool, error)

	// Holders goes through all users that hold something live, a page at a
	// time: after is empty at first, then the Next of the page before. limit is
	// about how many records a page reads, at least 1; a page may hold fewer
	// users, or none, and is not the last unless Next is empty.
	//
	// Whatever is live all the time from the first call to the last is in some
	// page. What comes or ends meanwhile may be missing. A user may come
	// several times, even with the same sessions; one with more records than a
	// page holds comes with some of them each time, so that no call does more
	// for it than for others. When the storage behind the store changes its
	// shape (a failover, a cluster that is resharded) it starts again by
	// itself, and may never end if that goes on.
	//
	// A cursor that the store has not given is an error of its own.
	Holders(ctx context.Context, after string, limit int) (HolderPage, error)

	// Users looks up what users hold, at MaxUserRecords records of each kind at
	// most.
	Users(ctx context.Context, users []User) ([]UserState, error)

	// Now returns the store's clock, by which everything is judged: the
	// earliest of its nodes, where there are several.
	Now(ctx context.Context) (time.Time, error)

	// Ping reports whether the store can be used, and written to: nil or an
	// error that wraps ErrUnavailable; where the store answers and refuses to
	// write, a *RefusedError.
	Ping(ctx context.Context) error

	// Close releases what the store holds, after the calls in flight.
	Close() error
}
