// Package store defines where logoutd keeps what a logout must end: sessions,
// refresh tokens and push registrations, and the cutoffs that decide what a
// revocation may touch.
//
// It holds the vocabulary, the [Store] interface and the errors; the backends
// are packages of their own (redisstore, sqlitestore), and storetest is the
// one conformance suite that both pass. It imports nothing else of logoutd.
//
// # Ended
//
// A session ends once, at the earliest of: its revocation, its expiry, and the
// cutoff of its user or of its user's device, where that overtakes it (it was
// authenticated at or before the cutoff). A session that has ended is dead for
// ever: no registration, extension or late event brings it back. Whatever is
// bound to it (refresh tokens, push registrations registered with its id) can
// no longer be registered.
//
// # Cutoffs
//
// A cutoff is a time below which nothing lives: whatever was authenticated (a
// push registration: registered) at or before it is revoked and cannot be
// registered any more. Cutoffs only rise. There is one for a user, one for a
// user's device, and one for the push registrations of a user's device and
// app. They are kept for [CutoffRetention], or as long as the longest-lived
// credential of the user known when they rose, if that is longer.
//
// # Newer logins
//
// A newer login never dies of a logout of an older session, whatever was
// skipped, repeated, reordered, merged or late. A session may end what was
// authenticated up to its first fence that was executed or its first request
// that the broker has appended, whichever is earlier, or up to its end. Only the
// stream knows a request whose fence was skipped, so the earliest counts:
//
//   - Unfenced requests lie on a subject of their own, without any time of a
//     front end. Their bound is the store's clock, read first, minus the age by
//     the broker's clock, minus a margin: 1 ms, and 1 ms for each second of age,
//     at most 4 s. What is put back keeps the first time of the broker and, once
//     a worker has fenced it, that cutoff.
//   - A worker looks at that subject before it reads a record: all that was on
//     the stream with the messages in its hands. A request that is unfenced, or
//     whose session is there, is fenced with the earliest of all bounds.
//   - A fence lowers the end of a session that was revoked, and keeps its mark.
//     In Redis the end is also kept beside the user, where the revocations by
//     session, user and device read it and apply the earlier.
//   - A request that is given up is fenced on disk first; its dead letter has
//     the answer, as one that was fenced.
//   - An unfenced request of a session that the store does not know leaves a
//     tombstone: a registration that comes later is refused.
//
// Limits: after a skipped fence, a login within the margin before the logout may
// live. A fence that crashes the process each time is not kept. A logout of the
// whole user from another session that is pending, while this session is live
// and its own logout of the whole user is applied first, ends a login between
// the two.
//
// # Time
//
// Times are UTC with a precision of one millisecond. "Now" is always the
// store's own clock (Redis TIME; the process's clock for SQLite), never the
// caller's, so that all front ends agree.
//
// A registration whose time is ahead of the store's clock counts as one without
// a time: it gets the store's now, later than the newest cutoff.
//
// # Limits
//
// Another program may write a time to the storage itself that is more than a
// millisecond ahead of the store's clock. Nothing proves then that it is later
// than a cutoff. A revocation that reads it and whose scope covers it revokes it
// ([Revoked].Ahead counts it), also a revocation that comes late, so a newer
// login written with such a time dies. Until the revocation reads it, a check
// of the cutoffs alone calls it active.
//
// A push token belongs to the newest registration that has it, and ending an
// older one leaves it at the provider. A provider that is being told to delete it
// in the very moment in which a newer registration is made deletes it all the
// same. Of registrations of the same millisecond none is newer than the other.
//
// Where the clock was set back, a user's cutoff may itself be ahead of the clock.
// Times are compared as stored then: a login gets the millisecond after that
// cutoff, and a logout by an operator, whose cutoff is the clock's, does not
// cover it before the clock has caught up. Likewise the logout of a session that
// was authenticated before the clock was set back covers what was registered
// until it has caught up, newer logins too, and a clock of store or broker that is
// set between a logout whose fence was skipped and its fence by a worker moves
// the cutoff by as much. Have the clocks slewed. The embedded store's own clock
// does not go back by less than a minute.
package store
