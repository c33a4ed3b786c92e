// Package forwarded finds out which client sent a request that came through
// proxies, and whether that client used HTTPS.
//
// A proxy tells it in Forwarded (RFC 7239) or in X-Forwarded-For and
// X-Forwarded-Proto. Clients can send these headers too, so only what a trusted
// proxy has written counts: [Proxies.Client] walks the list of addresses from
// the right, where the nearest proxy writes, and stops at the first address
// that is no trusted proxy. Headers of everybody else are ignored.
//
// A proxy that writes one kind of header often passes the other kind on as the
// client sent it. Where both kinds are there and contradict each other, neither
// proves anything, and the address is that of the proxy. Let the proxy remove
// the headers that it does not write.
//
// The package imports nothing of ours.
package forwarded
