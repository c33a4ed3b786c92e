// Package admin is the admin API: what login services call to register
// sessions, refresh tokens and push registrations, and what operators call to
// revoke, to introspect, to follow the events, and to list, replay and discard
// dead letters.
//
// Every call wants "Authorization: Bearer <admin token>" (RFC 6750). Bodies are
// JSON objects, read strictly: a field that is unknown, given twice, empty,
// null, of the wrong type or over its limit is refused by name. Times are RFC
// 3339; answers have milliseconds, in UTC. Errors are problem documents (RFC
// 9457) with the member "field" where one field is at fault, and never tell an
// internal cause, which is logged instead.
//
//	PUT  /v1/sessions             201, 200   register a session, extend it
//	PUT  /v1/refresh-tokens       201, 200   register a refresh token
//	PUT  /v1/push-registrations   201, 200   register a push registration
//	POST /v1/import               200        the three as NDJSON, one a line
//	POST /v1/introspect           200        is this token active? (RFC 7662)
//	POST /v1/revocations          202        log out a session, user or device
//	GET  /v1/events               200        the public events as NDJSON, live
//	GET  /v1/failed               200        dead letters, a page of them
//	GET  /v1/failed/{id}          200        one dead letter
//	POST /v1/failed/replays       200        hand dead letters to the workers again
//	POST /v1/failed/discards      200        drop dead letters
//
// Refusals of all calls: 400 the request is wrong, 401 no admin token, 404 no
// such thing, 405 with Allow, 409 with "cutoff" where a registration is dead
// on arrival, 413 the body is over 64 KiB, 503 with Retry-After while the store
// or the broker is unavailable.
//
// The package may import store and events, nothing else of logoutd.
package admin
