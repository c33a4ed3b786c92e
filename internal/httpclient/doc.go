// Package httpclient makes the HTTP client of every outgoing call, so that no
// server that logoutd talks to can take its memory or its time: headers, bodies
// and the time of a call are bounded, and no redirect is followed, because what
// a request carries is meant for nobody else.
//
// It may import internal/version, nothing else of logoutd.
package httpclient
