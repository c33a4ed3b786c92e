// Package handlers is the public listener: the logout APIs that logoutd
// imitates, one file each, and what they share, from the credential to the
// acknowledged event. It imports events and store and never meets workers; the
// admin API is handlers/admin, and internal/server what serves this listener.
//
// The transcripts in testdata are the exact answers: a case for every row
// below, and for bad input and outages.
//
//	dialect  method, path                              credential                                    success
//	sap_v1   POST   /mobileservices/sessions/logout    every cookie of the configured names, the     204
//	         DELETE /mobileservices/sessions           header X-SMP-SESSID, Authorization: Bearer,
//	                                                   ;jsessionid=
//	sap_v2   POST   /mobileservices/sessions/v2/logout as sap_v1                                     204
//	         DELETE /mobileservices/sessions/v2
//	elvis    POST   /services/logout                   cookie, Authorization: Bearer, ;jsessionid=   200 {"logoutSuccess": true}
//	         GET, POST /logout?logoutSuccessUrl=       the same                                      302, cookie cleared
//	kratos   DELETE /self-service/logout/api           session_token in the JSON body                204
//	         DELETE /auth/self-service/logout/api
//
//	dialect  no session, unknown session   other failures                              their body
//	sap_*    204                           403 from another site, 405, 431, 503        plain text
//	elvis    200, or 302                   403 without its CSRF token, 405, 431, 503   {"errorcode","message"}
//	kratos   403                           400, 405, 413 over 64 KiB, 431, 503         {"error":{…}}
//
// Sessions that have ended are accepted like live ones, and published again:
// the caller before may have died between fence and event. Every 405 has
// Allow, every 503 Retry-After; answers are not to be cached.
//
// Every credential of a request is looked at, whatever else is presented, and
// the store decides which of them are sessions: all of those end. Only the size
// of the request bounds them (16 KiB for request line and header, 431 above;
// above 64 KiB the 431 is plain text in every dialect).
// Values are read leniently: with blanks around them, in quotes,
// percent-encoded, in fields that were repeated or joined with commas; the
// names of cookies in any letter case. Repeated slashes in a path are one; dot
// segments and encoded slashes are 404. Nothing is redirected but /logout.
//
// What a page of another site sends with a cookie of the dialect, and with
// neither a bearer token nor the header X-SMP-SESSID, is refused: 403, nothing
// is fenced. Sec-Fetch-Site tells, or where there is none, an Origin on another
// host. GET /logout answers with a page whose button posts to the same path; an
// answer to another site that no cookie came with clears none. Prefetches of
// /logout are 403. Kratos' token is in the body, which no other site knows.
//
// A request that presents more than 16 credentials shares no call of the store
// with others, and those that come together are fenced one after the other.
// What is not known of its sessions is published as one entry.
//
// # Where we differ
//
// Sources: the vendors' documents and public clients; Kratos v26.2.0 as observed.
//
//   - All: 503 where a logout cannot be made durable. With the store down but
//     not the broker, a logout is accepted without knowing whether there is
//     such a session.
//   - SAP: v2 covers push registrations too, on which its documentation is
//     silent. A session cookie is not demanded. GET is not served, though one
//     sample calls it: links and prefetching must not log out.
//   - SAP: a cross-site POST with a cookie is refused, though the contract knows
//     no CSRF, unless its origin is trusted. CORS answers, with credentials, go
//     to the configured origins only.
//   - Elvis: what lacks the CSRF token is not documented; here a session of
//     kind browser is then refused, 403, and stays. Only a cookie needs the
//     token: other sites' pages can send neither a bearer token nor a session
//     id in the path. While the store is down nobody knows the kind, and a
//     cookie without a valid token gets 503. Where sessions are kept elsewhere
//     nobody ever knows it, and the cookie suffices.
//   - Elvis: /logout is a link and asks for no token, but a link on another site
//     leads to a page that asks first. It redirects to its own
//     origin and to the configured ones; the original goes anywhere.
//   - Kratos: 400 for bytes after the object and for two tokens in one body,
//     where the original logs one of them out; 413 over 64 KiB, where its cap
//     is 5 MiB and the answer 400; 405 as JSON; 403 for a token with \u0000,
//     where it fails with 500; and reasons that name no Go types.
//   - Kratos: where sessions are kept elsewhere, 204 to any token.
package handlers
