package storetest

import (
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
)

// Options is what a test asks of the store that it opens.
type Options struct {
	// Retention is how long tombstones are kept. Zero: store.DefaultRetention.
	Retention time.Duration
}

// Backend is how the suite gets at a backend. A hook that is nil leaves out
// the tests that need it.
type Backend struct {
	// Open opens a store and closes it when the test has ended. It may be the
	// same storage each time: every test has a user of its own. Required.
	Open func(t *testing.T, o Options) store.Store

	// Down returns a store that cannot be used. Required.
	Down func(t *testing.T) store.Store

	// Breakable opens a store of its own that can be made to fail: after
	// breakAfter(n), n further operations (transactions, commands: the
	// smallest steps that the backend takes one after another) succeed, and
	// all later ones fail as if the storage had gone; breakAfter(-1) mends it.
	Breakable func(t *testing.T) (s store.Store, breakAfter func(n int))

	// IndexEntries lists what the indexes of the store hold of the user,
	// cutoffs not counted.
	IndexEntries func(t *testing.T, s store.Store, u store.User) []string

	// Damage spoils the session's record so that work on it fails, and on it
	// alone.
	Damage func(t *testing.T, s store.Store, sessionID string)

	// Age makes the record of the session older by so much: all its times lie
	// that much earlier, also that of its end.
	Age func(t *testing.T, s store.Store, session store.Session, by time.Duration)

	// SetTime sets the stored time of authentication or registration of a
	// store.Session, store.RefreshToken or store.PushRegistration, as a program
	// that writes to the storage itself would.
	SetTime func(t *testing.T, s store.Store, of any, at time.Time)
}

// shortRetention is that of the tests that wait for it to end.
const shortRetention = 500 * time.Millisecond

// test is one test, run with a fresh user.
type test struct {
	name string
	run  func(w *world)
}

// Run runs the suite. Tests run in parallel.
func Run(t *testing.T, b Backend) {
	for name, tests := range map[string][]test{
		"Sessions":          sessionTests,
		"RefreshTokens":     tokenTests,
		"PushRegistrations": pushTests,
		"Fence":             fenceTests,
		"Revoke":            revokeTests,
		"Cutoffs":           cutoffTests,
		"DeadSession":       deadSessionTests,
		"Redelivery":        redeliveryTests,
		"Concurrency":       concurrencyTests,
		"Batch":             batchTests,
		"Bytes":             byteTests,
		"Holders":           holderTests,
		"Traces":            traceTests,
		"Ahead":             aheadTests,
		"PushTokens":        tokenHolderTests,
	} {
		t.Run(name, func(t *testing.T) { runAll(t, b, Options{}, tests) })
	}
	t.Run("Expiry", func(t *testing.T) { runAll(t, b, Options{Retention: shortRetention}, expiryTests) })
	t.Run("Large", func(t *testing.T) { large(t, b) })
	t.Run("BrokenOff", func(t *testing.T) { brokenOff(t, b) })
	t.Run("Unavailable", func(t *testing.T) { unavailable(t, b.Down(t)) })
}

func runAll(t *testing.T, b Backend, o Options, tests []test) {
	t.Parallel()
	s := b.Open(t, o)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(newWorld(t, b, s))
		})
	}
}
