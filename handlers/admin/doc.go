// Package admin implements the admin API. Login services call it to register
// sessions, refresh tokens and push registrations. Operators call it to revoke,
// to check the status of logouts, to watch the system, and to list, replay and
// discard dead letters. Scripts and the command line use only this API.
//
// routes.go lists the calls with the role that each requires. openapi.json
// describes every request and answer; the tests check all answers against it.
// Internal packages implement the operations; this package defines their JSON
// and records them in the audit log.
//
// Every call except GET /v1/openapi.json requires "Authorization: Bearer <token>"
// (RFC 6750). JSON bodies and queries are read strictly: a field that is
// unknown, duplicate, empty, null, of the wrong type or over its limit is refused
// by name. Times are RFC 3339; answers have milliseconds, in UTC. Errors are
// problem documents (RFC 9457) with the member "field" if one field is at fault.
// They never contain an internal cause, which is logged instead.
//
// A bulk operation takes two calls: a dry run, which stores the exact selection
// and returns a token, and the start of a job on that selection, with a reason.
//
// The package imports store, events and internal/*; nothing else of logoutd.
package admin
