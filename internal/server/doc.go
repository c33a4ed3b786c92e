// Package server serves a handler of net/http with fasthttp, which needs much
// less CPU to read a request and to send an answer (BenchmarkServe). It
// imports nothing of ours, and knows nothing of logouts.
//
// A handler gets the request and gives the answer that it would get and give
// with net/http; the tests compare both. What differs:
//
//   - The answer is sent when the handler has returned, with a Content-Length.
//     There is no http.Flusher, no http.Hijacker, and no informational status.
//   - The context of a request is context.Background: it does not end when the
//     client hangs up.
//   - A panic is answered, with 500.
//   - A handler is asked once the first byte of the body is there, and a client
//     that expects 100 Continue gets that before.
//   - HTTP/1.1 answers HTTP/1.0 too, as RFC 9110, section 2.5, has it.
//   - OPTIONS * goes to the handler. CONNECT is only a path's method.
//
// Requests that two readers may understand in different ways are refused, as
// one of them may be a proxy in front: folded header lines, bare line feeds,
// more than one of Content-Length and Transfer-Encoding, codings other than
// chunked, trailers that were no trailers, an empty Host. fasthttp refuses some
// of these, and this package the rest; TestStrict has them all. The connection
// is closed then.
package server
