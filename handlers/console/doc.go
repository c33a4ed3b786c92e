// Package console is what operators see in a browser, under /console: what
// happens now, failed revocations, their replay, jobs, bulk revocation, the
// status of one logout, the audit log and the events as they come.
//
// Pages are rendered here, from templates and one style sheet in the binary; no
// request leaves the host. Everything works without scripts: forms and links,
// and pages that show what changes load themselves again. The one script of our
// own replaces parts of a page as the server sends them (server-sent events),
// selects all rows of a table, and does nothing else.
//
// # Login
//
// The admin token of a viewer or an operator opens a session of 12 hours at
// most, half an hour without a page. The cookie holds a random secret;
// internal/access keeps the session under its hash, for all admin processes.
// A logout ends it, and so do its token's end, and an operator on the page
// Sessions, where everybody sees their own. A viewer sees everything and changes
// nothing but that.
//
// # Changes
//
// Every change is a POST that the browser says comes from this very site. What
// acts on many things first shows a dry run; the run that follows it does
// exactly that set, has a reason, and is an entry of the audit log.
//
// # When something is down
//
// A page shows what is known without the part that is down, and says what is
// missing. Dead letters are listed from this process's own projection, which
// needs no broker.
//
// The package may import operations, events and store, nothing else of logoutd.
package console
