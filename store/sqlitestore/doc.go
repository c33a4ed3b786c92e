// Package sqlitestore keeps sessions, refresh tokens, push registrations and
// cutoffs in one SQLite file: the store of a logoutd that is a single process.
//
// It owns the file, its schema and all SQL, and imports nothing of logoutd but
// package store. One process at a time may use a file.
//
// # Fences in memory
//
// The fence of a session is an entry in memory that every check and every
// registration considers; the Revoke that follows writes it, with the rest of
// the logout. Whose session it is, and since when, is cached for
// 200,000 live sessions that this process registered, which takes some 100 MiB;
// other sessions are looked up. So a fence waits for no writer and no disk. What no
// Revoke has written after half a minute, because the request could not be
// published or there is a backlog, is written in the background, and all that
// is left by Close. A fence that is [store.Fence].Durable is written before
// Fence returns, and so are those of users and devices, which are cutoffs.
//
// A process that dies without Close loses the fences in memory. The opener of
// the store therefore calls Fence again for every request that is pending,
// before anything is answered; At, the request's cutoff, makes it the fence
// that it was.
//
// # Clock
//
// The store's clock is the process's, but it does not go back. Where that is set
// back by up to a minute, this one goes on, a thousandth slower, until both show
// the same again: otherwise a newer login could be authenticated before the
// cutoff of an older logout. After a restart it is the process's again.
//
// # One writer
//
// A single goroutine writes. It groups the calls that arrive while a
// transaction is being committed into the next one, so that they share its
// costs and never meet SQLITE_BUSY; no timer holds a call back. Look-ups for
// fences are grouped the same way, on a connection of their own. Other checks
// have connections of their own too and never wait for the writer (WAL).
//
// Every transaction is synchronous=FULL: what a call has written is on disk
// when it returns.
//
// # Costs
//
// A logout costs what the pages cost that it changes, so the rows of a user
// lie together, and no index holds a column that a logout changes. Revoke goes
// through the rows of the session or of the user in the order of their key,
// marks what the request covers, and so meets all that bears its mark; that is
// also how it finds again what an earlier, broken-off Revoke has marked. A user
// with very many rows is done in several transactions of about 1,000 rows, the
// cutoff first, with other calls in between.
//
// Rows past their time count as deleted. The sweeper goes through the tables in
// the background, slowly, and deletes them.
package sqlitestore
