package storetest

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/logoutd/logoutd/store"
)

// world is a fresh user on a store, and what a test has registered for it.
// Tests give credentials short names, which are unique within a world.
type world struct {
	*testing.T
	backend Backend
	store   store.Store
	user    store.User
	start   time.Time
	*ledger
}

// ledger is what was registered, in order.
type ledger struct {
	seed     string
	names    map[string]string // of sessions, tokens and push registrations, by id
	sessions []string
	tokens   []string
	pushes   []store.PushRegistration
}

func newWorld(t *testing.T, b Backend, s store.Store) *world {
	seed := rand.Text()
	return &world{
		T: t, backend: b, store: s,
		user:   store.User{TenantID: "acme", ID: "user " + seed},
		start:  time.Now().UTC().Truncate(time.Millisecond),
		ledger: &ledger{seed: seed, names: map[string]string{}},
	}
}

// as returns the same world as another user sees it.
func (w *world) as(u store.User) *world {
	other := *w
	other.user = u
	return &other
}

// ago is the time so many minutes before the test began.
func (w *world) ago(minutes int) time.Time {
	return w.start.Add(-time.Duration(minutes) * time.Minute)
}

// in is the time d from now.
func (w *world) in(d time.Duration) time.Time {
	return time.Now().UTC().Add(d).Truncate(time.Millisecond)
}

// id is the token id that goes by the name.
func (w *world) id(name string) string {
	id := store.TokenID(w.seed + " " + name)
	w.names[id] = name
	return id
}

// must ends the test if a call failed as a whole.
func must[T any](w *world) func(results []T, err error) []T {
	return func(results []T, err error) []T {
		w.Helper()
		if err != nil {
			w.Fatal(err)
		}
		return results
	}
}

// one is must for a batch of one item.
func one[T any](w *world) func(results []T, err error) T {
	return func(results []T, err error) T {
		w.Helper()
		if err != nil {
			w.Fatal(err)
		}
		if len(results) != 1 {
			w.Fatalf("%d results for one item", len(results))
		}
		return results[0]
	}
}

// eventually polls until ok returns true.
func (w *world) eventually(what string, ok func() bool) {
	w.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			w.Fatalf("still not: %s", what)
		}
	}
}

// equal compares what came with what was to come.
func (w *world) equal(what string, got, want any, opts ...cmp.Option) {
	w.Helper()
	if diff := cmp.Diff(want, got, opts...); diff != "" {
		w.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
