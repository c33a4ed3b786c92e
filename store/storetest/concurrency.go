package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/logoutd/logoutd/store"
)

var concurrencyTests = []test{
	{"registrations race a logout by session", func(w *world) { race(w, store.ScopeSession) }},
	{"registrations race a logout by user", func(w *world) { race(w, store.ScopeUser) }},
	{"registrations race a logout by device", func(w *world) { race(w, store.ScopeDevice) }},
	{"one of many fences ends a session", concurrentFences},
	{"the same logout many times at once", concurrentLogouts},
	{"registered many times at once", concurrentPuts},
}

// rounds of a race, and registrations of each kind in a round.
const (
	raceRounds = 12
	racers     = 6
)

// race lets registrations from before the cutoff race the whole of a logout.
// Each is refused or revoked; a push registration that was accepted is told.
func race(w *world, by store.Scope) {
	for round := range raceRounds {
		fresh := newWorld(w.T, w.backend, w.store)
		raceOnce(fresh, by)
		if w.Failed() {
			w.Fatalf("in round %d", round)
		}
	}
}

// racing is what races the logout: all of it belongs to what the logout ends.
type racing struct {
	sessions []store.Session
	tokens   []store.RefreshToken
	pushes   []store.PushRegistration
}

func newRacing(w *world, by store.Scope) racing {
	var r racing
	for i := range racers {
		n := fmt.Sprint(i)
		if by != store.ScopeSession {
			r.sessions = append(r.sessions, w.session(store.Session{ID: "s" + n, DeviceID: "phone", AuthenticatedAt: w.ago(10)}))
		}
		r.tokens = append(r.tokens,
			w.token(store.RefreshToken{ID: "bound" + n, SessionID: "first"}),
			w.token(store.RefreshToken{ID: "rotated" + n, RotatedFrom: "t-first"}))
		if by == store.ScopeUser {
			r.tokens = append(r.tokens, w.token(store.RefreshToken{ID: "free" + n, AuthenticatedAt: w.ago(10)}))
		}
		r.pushes = append(r.pushes,
			w.push(store.PushRegistration{ID: "p" + n, DeviceID: "phone", AppID: "app" + n, RegisteredAt: w.ago(10)}),
			w.push(store.PushRegistration{ID: "q" + n, DeviceID: "phone", AppID: "bound" + n, SessionID: "first"}))
	}
	for _, s := range r.sessions {
		w.sessions = append(w.sessions, s.ID)
	}
	for _, t := range r.tokens {
		w.tokens = append(w.tokens, t.ID)
	}
	w.pushes = append(w.pushes, r.pushes...)
	return r
}

// run registers everything while the logout goes on, each item in a call of
// its own.
func (r racing) run(w *world) []store.PutResult {
	ctx := w.Context()
	var calls []func() ([]store.PutResult, error)
	for _, s := range r.sessions {
		calls = append(calls, func() ([]store.PutResult, error) { return w.store.PutSessions(ctx, []store.Session{s}) })
	}
	for _, t := range r.tokens {
		calls = append(calls, func() ([]store.PutResult, error) { return w.store.PutRefreshTokens(ctx, []store.RefreshToken{t}) })
	}
	for _, p := range r.pushes {
		calls = append(calls, func() ([]store.PutResult, error) {
			return w.store.PutPushRegistrations(ctx, []store.PushRegistration{p})
		})
	}
	results := make([]store.PutResult, len(calls))
	var running sync.WaitGroup
	for i, call := range calls {
		running.Go(func() {
			got, err := call()
			if err != nil {
				w.Errorf("registering: %v", err)
				return
			}
			results[i] = got[0]
		})
	}
	running.Wait()
	return results
}

// accepted returns the ids of what was accepted; the rest must be refused.
func accepted(w *world, results []store.PutResult) map[string]bool {
	ids := map[string]bool{}
	for _, r := range results {
		if r.Err == nil {
			ids[r.ID] = true
		} else if !errors.Is(r.Err, store.ErrRevoked) {
			w.Errorf("registering %s: %v", w.names[r.ID], r.Err)
		}
	}
	return ids
}

func raceOnce(w *world, by store.Scope) {
	w.login(store.Session{ID: "first", DeviceID: "phone", AuthenticatedAt: w.ago(10)})
	w.grant(store.RefreshToken{ID: "t-first", SessionID: "first"})
	racing := newRacing(w, by)
	var results []store.PutResult
	var running sync.WaitGroup
	running.Go(func() { results = racing.run(w) })
	r := w.revocation("first", by, w.fenceSession("first", by))
	revoked := w.revoke(r)
	w.finish(r)
	running.Wait()

	w.wantLive()
	untold := accepted(w, results)
	for _, p := range revoked.PushRegistrations {
		delete(untold, p.ID)
	}
	for _, p := range racing.pushes {
		if untold[p.ID] {
			w.Errorf("%s was accepted, and the logout does not tell its provider", w.names[p.ID])
		}
	}
	r.RequestID += " again"
	w.equal("left to revoke", w.complete(r), told{Sessions: []string{"first"}})
}

// concurrentFences fences one session many times at once.
func concurrentFences(w *world) {
	w.login(store.Session{ID: "s", AuthenticatedAt: w.ago(10)})
	f := store.Fence{SessionID: w.id("s")}
	fenced := make([]store.Fenced, 20)
	var running sync.WaitGroup
	for i := range fenced {
		f := f
		f.RequestID = fmt.Sprint("r", i)
		running.Go(func() {
			got, err := w.store.Fence(w.Context(), []store.Fence{f})
			if err != nil {
				w.Errorf("fence: %v", err)
				return
			}
			fenced[i] = got[0]
		})
	}
	running.Wait()
	outcomes := map[store.FenceOutcome]int{}
	for _, f := range fenced {
		outcomes[f.Outcome]++
		w.equal("cutoff", f.Cutoff, fenced[0].Cutoff)
	}
	w.equal("outcomes", outcomes, map[store.FenceOutcome]int{store.FenceFenced: 1, store.FenceEnded: 19})
}

func concurrentLogouts(w *world) {
	household(w, w.ago(10))
	r := w.revocation("laptop", store.ScopeUser, w.fenceSession("laptop", store.ScopeUser))
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			if _, err := w.store.Revoke(w.Context(), []store.Revocation{r}); err != nil {
				w.Errorf("revoke: %v", err)
			}
		})
	}
	running.Wait()
	want := told{
		Sessions: []string{"laptop", "none", "phone-any", "phone-chat", "phone-mail"}, Tokens: 5,
		Pushes: []string{"p-laptop", "p-laptop-bound", "p-phone-any", "p-phone-chat", "p-phone-mail", "p-phone-mail2"},
	}
	w.equal("told", w.complete(r), want)
	w.wantLive()
}

func concurrentPuts(w *world) {
	s := w.session(store.Session{ID: "s", AuthenticatedAt: w.ago(10)})
	w.sessions = append(w.sessions, s.ID)
	var running sync.WaitGroup
	for i := range 10 {
		s := s
		s.ExpiresAt = s.ExpiresAt.Add(time.Duration(i) * time.Minute)
		running.Go(func() {
			got, err := w.store.PutSessions(w.Context(), []store.Session{s})
			if err != nil || got[0].Err != nil {
				w.Errorf("registering: %v %v", err, got)
			}
		})
	}
	running.Wait()
	w.equal("expiry", w.sessionState("s").ExpiresAt, s.ExpiresAt.Add(9*time.Minute))
	w.wantLive("s")
}
