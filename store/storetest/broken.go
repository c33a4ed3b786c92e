package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
)

// maxBreaks is more operations than a Revoke or Finish of a household takes.
const maxBreaks = 500

// brokenOff breaks each of the logouts off after every operation of its
// Revoke, and of its Finish, and expects that running it again ends as if it
// had never been broken off.
func brokenOff(t *testing.T, b Backend) {
	t.Parallel()
	if b.Breakable == nil {
		t.Skip("the backend cannot be broken")
	}
	for name, logout := range logouts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, breakAfter := b.Breakable(t)
			whole := newBrokenRun(newWorld(t, b, s), logout)
			want := whole.end()
			inRevoke := breakEach(t, func(n int) bool {
				run := newBrokenRun(newWorld(t, b, s), logout)
				return run.breakRevoke(breakAfter, n, want)
			})
			inFinish := breakEach(t, func(n int) bool {
				run := newBrokenRun(newWorld(t, b, s), logout)
				return run.breakFinish(breakAfter, n, want)
			})
			if inRevoke == 0 || inFinish == 0 {
				t.Errorf("broke off %d times in Revoke, %d times in Finish", inRevoke, inFinish)
			}
		})
	}
}

// breakEach breaks off after ever more operations until none is left to
// break, and returns how often it did.
func breakEach(t *testing.T, broke func(n int) bool) int {
	for n := range maxBreaks {
		if !broke(n) || t.Failed() {
			return n
		}
	}
	t.Errorf("still broken off after %d operations", maxBreaks)
	return maxBreaks
}

type brokenRun struct {
	*world
	revocation store.Revocation
}

func newBrokenRun(w *world, logout func(*world) store.Revocation) brokenRun {
	household(w, w.ago(10))
	return brokenRun{world: w, revocation: logout(w)}
}

// ending is what is comparable between two runs.
type ending struct {
	Told told
	Live []string
	Done bool
}

// end runs the logout to its end and tells how that was.
func (r brokenRun) end() ending {
	r.Helper()
	return ending{
		Told: r.complete(r.revocation),
		Live: r.live(),
		Done: r.revoke(r.revocation).Done,
	}
}

func (r brokenRun) breakRevoke(breakAfter func(int), n int, want ending) (broke bool) {
	breakAfter(n)
	_, err := r.store.Revoke(r.Context(), []store.Revocation{r.revocation})
	breakAfter(-1)
	r.wantUnavailable(err)
	r.refusesLate()
	r.equal("after a broken Revoke", r.end(), want)
	return err != nil
}

func (r brokenRun) breakFinish(breakAfter func(int), n int, want ending) (broke bool) {
	r.equal("told", r.tell(r.revocation), want.Told)
	breakAfter(n)
	_, err := r.store.Finish(r.Context(), []store.Revocation{r.revocation})
	breakAfter(-1)
	r.wantUnavailable(err)

	again := r.tell(r.revocation)
	if !again.Done {
		r.equal("told again, not done yet", again, want.Told)
	}
	r.finish(r.revocation)
	r.equal("live", r.live(), want.Live)
	r.equal("done", r.revoke(r.revocation).Done, true)
	return err != nil
}

// refusesLate asserts that the fence of a user keeps out what is from before
// it, however far the Revoke got.
func (r brokenRun) refusesLate() {
	r.Helper()
	if r.revocation.Scope == store.ScopeUser && r.revocation.SessionID == "" {
		late := r.putSession(store.Session{ID: "late", AuthenticatedAt: r.revocation.Cutoff.Add(-time.Second)})
		r.refused("late", late, r.revocation.Cutoff)
	}
}

// wantUnavailable asserts that the error, if any, is that of a whole call.
func (r brokenRun) wantUnavailable(err error) {
	r.Helper()
	if err != nil && !errors.Is(err, store.ErrUnavailable) {
		r.Errorf("broken off with %v, which does not wrap ErrUnavailable", err)
	}
}
