// Package server serves a listener with net/http: HTTP/1.1, HTTP/2, TLS, and
// the limits that keep slow or numerous clients from stopping the service. It
// imports nothing of ours, and knows nothing of logouts.
//
// # Framing
//
// A request whose end two readers can see in different places is refused with
// 400, and the connection is closed, because one of the readers may be a proxy
// in front of us. net/http refuses most of these. [framing] reads along and
// refuses the rest: more than one Content-Length, Content-Length together with
// Transfer-Encoding, Transfer-Encoding in HTTP/1.0, folded lines, bare line
// feeds, and the preface of HTTP/2 anywhere but at the start of a connection.
//
// What net/http normalizes instead of refusing (TestNormalized):
//
//   - Empty lines in front of a request are skipped behind a POST, else refused.
//   - An empty Host is accepted: no route depends on the host.
//   - HTTP/1.2 to HTTP/1.9 are read as HTTP/1.1.
//   - CONNECT and OPTIONS * reach the handler, which knows no such path.
//   - Trailers that were not announced are kept, but apart from the header.
//     Nothing reads trailers.
//
// # Limits
//
// A header has 5 s to arrive, a TLS handshake included; a body 5 s, and one
// more for each 64 KiB that Content-Length promises, up to a minute. A handler
// that reads a long stream sets its own deadlines with an
// [http.ResponseController]. A client that takes no byte of its answer for
// 20 s is disconnected; an answer takes 10 minutes at most over HTTP/2, unless
// its handler sets another write deadline. A request that is too slow gets no
// answer. Headers above 68 KiB get 431.
//
// A listener has a maximum of connections, half of it for one address; trusted
// proxies can have all. Where there is no room the connection that has been
// idle longest is closed, of the same address if that one has its share. Idle
// is a connection on which no handler runs, so one that has not sent its header
// yet as well. Where none is idle the new connection is refused.
package server
