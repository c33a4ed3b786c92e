// Package storetest is the conformance suite of [store.Store]: what the
// comments of package store promise, as tests that every backend passes. A
// backend's own test is a call of [Run].
//
// It owns no knowledge of any backend: it sees a store through the interface
// and the hooks of [Backend] only, and imports nothing else of logoutd. The
// store's clock is taken as it is, so tests work with times that lie in the
// past, and with short expiries that they wait for.
package storetest
