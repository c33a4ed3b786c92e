// Package admin is the admin API: what login services call to register
// sessions, refresh tokens and push registrations, and what operators call to
// revoke, to find out what became of it, to see what happens, and to find,
// understand, replay and discard dead letters. Scripts and the command line
// use nothing else.
//
// The calls stand in routes.go, each with the role that it wants, and in
// openapi.json with everything that goes in and comes out, which the tests hold
// every answer against. What operators do is the business of the packages under internal;
// here it gets its form, and its entry in the audit log.
//
// Every call but GET /v1/openapi.json wants "Authorization: Bearer <token>"
// (RFC 6750). Bodies are JSON objects, and queries, read strictly: a field that
// is unknown, given twice, empty, null, of the wrong type or over its limit is
// refused by name. Times are RFC 3339; answers have milliseconds, in UTC.
// Errors are problem documents (RFC 9457) with the member "field" where one
// field is at fault, and never tell an internal cause, which is logged instead.
//
// What works on many takes two calls: a dry run, which keeps the exact set and
// answers with a token, and the start of a job on it, with a reason.
//
// The package may import store, events and internal/*, nothing else of
// logoutd.
package admin
