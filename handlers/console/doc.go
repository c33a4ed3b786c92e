// Package console serves the operators' web console under /console: overview,
// failed revocations and their replay, jobs, bulk revocation, the status of a
// logout, the audit log and live events.
//
// The server renders pages from templates and one style sheet in the binary; a
// browser loads nothing from other hosts. Everything works without scripts: with
// forms, links and pages that reload themselves. The one script updates parts of
// a page from server-sent events, and selects all rows of a table.
//
// # Login
//
// The admin token of a viewer or an operator opens a session. It lasts at most 12
// hours, and half an hour without use. The cookie contains a random secret;
// internal/access stores the session under the hash of the secret, for all admin
// processes. A logout and the revocation of the token end the session. Operators
// can end any session on the Sessions page, viewers their own. Viewers can read
// everything and change nothing else.
//
// # Changes
//
// Every change is a POST that the browser marks as same-origin. A bulk change
// starts with a dry run. The job that follows processes exactly that selection,
// has a reason, and is recorded in the audit log.
//
// # Outages
//
// If the broker or the store is down, a page shows the rest and says what is
// missing. Dead letters come from this process's own index, which needs no
// broker.
//
// The package imports internal packages, events and store; nothing else of
// logoutd.
package console
