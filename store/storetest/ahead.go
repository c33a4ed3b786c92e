package storetest

import (
	"time"

	"github.com/logoutd/logoutd/store"
)

var aheadTests = []test{
	{"registered with a time ahead of the clock: now", aheadRegistered},
	{"registered ahead, after a cutoff: later than that", aheadAfterCutoff},
	{"stored ahead: a logout of the user revokes it", aheadUser},
	{"stored ahead: a logout of the device revokes it", aheadDevice},
	{"stored ahead: a v2 logout revokes it", aheadV2},
	{"stored ahead: a v1 logout revokes the push registration", aheadPush},
	{"stored ahead and revoked: shown again it ends nothing newer", aheadShownAgain},
	{"stored ahead: held since ever", aheadHeld},
	{"the cutoff is ahead too: compared as stored", aheadCutoff},
}

// registerAhead registers one of each kind with times ahead of the clock.
func (w *world) registerAhead() {
	w.Helper()
	ahead := w.in(5 * time.Second)
	w.login(store.Session{ID: "s", DeviceID: "phone", AppID: "mail", AuthenticatedAt: ahead})
	w.grant(store.RefreshToken{ID: "t", AuthenticatedAt: ahead}, store.RefreshToken{ID: "t-bound", SessionID: "s"})
	w.subscribe(store.PushRegistration{ID: "p", DeviceID: "phone", AppID: "mail", RegisteredAt: ahead})
}

func aheadRegistered(w *world) {
	for name, logout := range map[string]func(w *world){
		"user":   func(w *world) { w.endUser("operator", "") },
		"device": func(w *world) { w.endUser("operator", "phone") },
		"v2":     func(w *world) { w.logout("other", store.ScopeUser) },
		"v1":     func(w *world) { w.logout("s", store.ScopeSession) },
	} {
		fresh := newWorld(w.T, w.backend, w.store)
		fresh.login(store.Session{ID: "other", DeviceID: "laptop", AuthenticatedAt: w.ago(1)})
		fresh.registerAhead()
		fresh.aboutNow("authenticated at", fresh.sessionState("s").AuthenticatedAt)
		logout(fresh)
		want := map[string][]string{"user": {}, "device": {"other", "t"}, "v2": {}, "v1": {"other", "t"}}
		fresh.equal("live after a logout by "+name, fresh.live(), want[name])
	}
}

func aheadAfterCutoff(w *world) {
	cutoff := w.endUser("operator", "phone")
	if user := w.endUser("operator", ""); user.After(cutoff) {
		cutoff = user
	}
	w.registerAhead()
	w.wantLive("s", "t", "t-bound", "p")
	if at := w.sessionState("s").AuthenticatedAt; !at.After(cutoff) {
		w.Errorf("authenticated at %s, not after the cutoff %s", at, cutoff)
	}
}

// storeAhead registers one of each kind, and sets what is stored of their times
// as a login service whose clock is ahead would have written it.
func (w *world) storeAhead(ahead time.Time) {
	w.Helper()
	if w.backend.SetTime == nil {
		w.Skip("the backend cannot set a stored time")
	}
	w.login(store.Session{ID: "other", DeviceID: "laptop", AuthenticatedAt: w.ago(10)})
	session := store.Session{ID: "s", DeviceID: "phone", AppID: "mail", AuthenticatedAt: w.ago(10)}
	token := store.RefreshToken{ID: "t", AuthenticatedAt: w.ago(10)}
	push := store.PushRegistration{ID: "p", DeviceID: "phone", AppID: "mail", Provider: "apns", RegisteredAt: w.ago(10)}
	w.login(session)
	w.grant(token)
	w.subscribe(push)
	w.backend.SetTime(w.T, w.store, w.session(session), ahead)
	w.backend.SetTime(w.T, w.store, w.token(token), ahead)
	w.backend.SetTime(w.T, w.store, w.push(push), ahead)
	w.wantLive("other", "s", "t", "p")
}

// revokeAhead revokes, and asserts what was told and how many were ahead. A
// login that comes then lives on, whatever is repeated.
func (w *world) revokeAhead(r store.Revocation, ahead int, want told) {
	w.Helper()
	revoked := w.revoke(r)
	w.equal("told", w.told(r, revoked), want)
	w.equal("ahead", revoked.Ahead, ahead)
	w.loginAnew()
	repeated := w.revoke(r)
	w.equal("told again", w.told(r, repeated), want)
	w.equal("ahead again", repeated.Ahead, 0)
	w.finish(r)
}

func aheadUser(w *world) {
	w.storeAhead(w.in(time.Hour))
	r := w.fenceUser("operator", "", time.Time{})
	w.revokeAhead(r, 3, told{Sessions: []string{"other", "s"}, Tokens: 1, Pushes: []string{"p"}})
	w.wantLive("new", "t-new", "p-new")
}

func aheadDevice(w *world) {
	w.storeAhead(w.in(time.Minute))
	r := w.fenceUser("operator", "phone", time.Time{})
	w.revokeAhead(r, 2, told{Sessions: []string{"s"}, Pushes: []string{"p"}})
	w.wantLive("other", "new", "t", "t-new", "p-new")
}

func aheadV2(w *world) {
	w.storeAhead(w.in(time.Minute))
	r := w.revocation("other", store.ScopeUser, w.fenceSession("other", store.ScopeUser))
	w.revokeAhead(r, 3, told{Sessions: []string{"other", "s"}, Tokens: 1, Pushes: []string{"p"}})
	w.wantLive("new", "t-new", "p-new")
}

func aheadPush(w *world) {
	w.storeAhead(w.in(time.Minute))
	w.login(store.Session{ID: "mine", DeviceID: "phone", AppID: "mail", AuthenticatedAt: w.ago(9)})
	r := w.revocation("mine", store.ScopeSession, w.fenceSession("mine", store.ScopeSession))
	w.revokeAhead(r, 1, told{Sessions: []string{"mine"}, Pushes: []string{"p"}})
	w.wantLive("other", "s", "new", "t", "t-new", "p-new")
}

func aheadShownAgain(w *world) {
	w.storeAhead(w.in(time.Hour))
	r := w.fenceUser("operator", "", time.Time{})
	w.complete(r)
	survivors := w.loginAnew()
	for _, scope := range []store.Scope{store.ScopeUser, store.ScopeSession} {
		f := w.fenceSession("s", scope)
		w.equal("outcome", f.Outcome, store.FenceEnded)
		w.equal("cutoff", f.Cutoff, r.Cutoff)
		w.complete(w.revocation("s", scope, f))
		w.wantLive(survivors...)
	}
}

func aheadHeld(w *world) {
	w.storeAhead(w.in(time.Minute))
	w.logout("other", store.ScopeSession)
	ever := time.UnixMilli(1).UTC()
	w.equal("since", w.held(holderPage, w.user)[w.user].Since, ever)
	state := one[store.UserState](w)(w.store.Users(w.Context(), []store.User{w.user}))
	w.equal("since, looked up", state.Since, ever)
}

// The clock was set back after a logout: a login at that time is later than its
// cutoff, and ahead of the clock.
func aheadCutoff(w *world) {
	if w.backend.SetTime == nil {
		w.Skip("the backend cannot set a stored time")
	}
	old := store.Session{ID: "old", DeviceID: "phone", AppID: "mail", AuthenticatedAt: w.ago(10)}
	w.login(old, store.Session{ID: "earlier", AuthenticatedAt: w.ago(11)})
	w.backend.SetTime(w.T, w.store, w.session(old), w.in(time.Hour))
	f := w.fenceSession("old", store.ScopeUser)
	r := w.revocation("old", store.ScopeUser, f)
	w.revoke(r)
	survivors := w.loginAnew()
	w.equal("authenticated at", w.sessionState("new").AuthenticatedAt, f.Cutoff.Add(time.Millisecond))
	w.equal("ahead", w.revoke(r).Ahead, 0)
	w.finish(r)
	w.complete(w.revocation("earlier", store.ScopeUser, w.fenceSession("earlier", store.ScopeUser)))
	w.logout("old", store.ScopeSession)
	w.wantLive(survivors...)
}
