// Package sqlitestore keeps sessions, refresh tokens, push registrations and
// cutoffs in one SQLite file: the store of a logoutd that is a single process.
//
// It owns the file, its schema and all SQL, and imports nothing of logoutd but
// package store. One process at a time may use a file.
//
// # One writer
//
// A single goroutine writes. It groups the calls that arrive while a
// transaction is being committed into the next one, so that they share its
// costs and never meet SQLITE_BUSY; no timer holds a call back. Whatever reads
// only has connections of its own and never waits for the writer (WAL).
//
// # On disk
//
// A fence is committed with synchronous=NORMAL: it is in the operating
// system's hands when the call returns, survives the end of the process, and
// may be lost by a power failure, after which the redelivered request fences
// anew. Registrations and whatever the revoker commits are synchronous=FULL:
// on disk when the call returns, and with them every fence before.
//
// # Large users
//
// Revoke and Finish change about 1,000 rows in a transaction, the cutoffs
// first, and let other calls in between. Rows past their time are deleted in
// the background, in steps of the same size.
package sqlitestore
