package storetest

import (
	"time"

	"github.com/logoutd/logoutd/store"
)

// A dead session shown again has no power over what came after it ended.
var deadSessionTests = []test{
	{"fenced: a login straight after it survives", deadFenced},
	{"fenced: a login straight before it does not", deadBefore},
	{"logged out, shown again after a new login", deadLoggedOut},
	{"logged out of all, shown again after a new login", deadLoggedOutOfAll},
	{"logged out with all by another session", deadByAnother},
	{"overtaken by its user's cutoff, without a mark", deadOvertaken},
	{"overtaken by its device's cutoff", deadOvertakenByDevice},
	{"overtaken by both cutoffs: the earlier one applies", deadOvertakenByBoth},
	{"overtaken, v1: push registrations made since stay", deadOvertakenSession},
	{"expired, shown after a new login", deadExpired},
	{"expired, v1: itself and what is bound to it", deadExpiredSession},
	{"expired, shown a day late", deadExpiredYesterday},
	{"refused as a parent once overtaken", deadAsParent},
	{"not overtaken: the request's own cutoff applies", deadIsNot},
}

// loginAnew logs the user in on the phone, clear of every cutoff, and names
// what must live on.
func (w *world) loginAnew() []string {
	w.Helper()
	w.login(store.Session{ID: "new", DeviceID: "phone", AppID: "mail"})
	w.grant(store.RefreshToken{ID: "t-new", SessionID: "new"})
	w.subscribe(store.PushRegistration{ID: "p-new", DeviceID: "phone", AppID: "mail", SessionID: "new"})
	return []string{"new", "t-new", "p-new"}
}

// The answer to a logout may be followed by a login within the millisecond, and
// before the revoker has written a cutoff.
func deadFenced(w *world) {
	for range 20 {
		fresh := newWorld(w.T, w.backend, w.store)
		fresh.login(store.Session{ID: "old", DeviceID: "phone", AppID: "mail", AuthenticatedAt: fresh.ago(10)})
		f := fresh.fenceSession("old", store.ScopeUser)
		survivors := fresh.loginAnew()
		fresh.complete(fresh.revocation("old", store.ScopeUser, f))
		fresh.wantLive(survivors...)
	}
}

// A login that has been answered is before a logout that begins then, also
// within a millisecond in which others log out.
func deadBefore(w *world) {
	for range 20 {
		fresh := newWorld(w.T, w.backend, w.store)
		fresh.login(store.Session{ID: "old", AuthenticatedAt: fresh.ago(10)})
		fresh.fenceSession("unknown", store.ScopeSession)
		fresh.loginAnew()
		fresh.complete(fresh.revocation("old", store.ScopeUser, fresh.fenceSession("old", store.ScopeUser)))
		fresh.wantLive()
	}
}

func deadLoggedOut(w *world) {
	w.login(store.Session{ID: "old", DeviceID: "phone", AppID: "mail", AuthenticatedAt: w.ago(10)})
	ended := w.fenceSession("old", store.ScopeSession).Cutoff
	w.logout("old", store.ScopeSession)
	survivors := w.loginAnew()
	for range 3 {
		w.logout("old", store.ScopeSession)
		f := w.fenceSession("old", store.ScopeUser)
		w.equal("cutoff", f.Cutoff, ended)
		w.complete(w.revocation("old", store.ScopeUser, f))
		w.wantLive(survivors...)
	}
	w.wantUserCutoff(ended)
}

// wantUserCutoff asserts which cutoff refuses a session from long ago.
func (w *world) wantUserCutoff(cutoff time.Time) {
	w.Helper()
	w.refused("probe", w.putSession(store.Session{ID: "probe", AuthenticatedAt: w.ago(60)}), cutoff)
}

func deadLoggedOutOfAll(w *world) {
	w.login(store.Session{ID: "old", DeviceID: "phone", AuthenticatedAt: w.ago(10)})
	w.logout("old", store.ScopeUser)
	survivors := w.loginAnew()
	for _, scope := range []store.Scope{store.ScopeUser, store.ScopeDevice, store.ScopeSession} {
		w.logout("old", scope)
		w.wantLive(survivors...)
	}
}

func deadByAnother(w *world) {
	w.login(
		store.Session{ID: "old", DeviceID: "phone", AuthenticatedAt: w.ago(10)},
		store.Session{ID: "other", DeviceID: "laptop", AuthenticatedAt: w.ago(9)},
	)
	r := w.revocation("other", store.ScopeUser, w.fenceSession("other", store.ScopeUser))
	w.complete(r)
	survivors := w.loginAnew()
	f := w.fenceSession("old", store.ScopeUser)
	w.equal("outcome", f.Outcome, store.FenceEnded)
	w.equal("cutoff", f.Cutoff, r.Cutoff)
	w.complete(w.revocation("old", store.ScopeUser, f))
	w.wantLive(survivors...)
}

// showOvertaken shows a session again that was not marked, only overtaken by
// the cutoff: Fence may not see that, Revoke must.
func (w *world) showOvertaken(name string, scope store.Scope, cutoff time.Time) {
	w.Helper()
	r := w.revocation(name, scope, w.fenceSession(name, scope))
	for range 2 {
		revoked := w.revoke(r)
		w.equal("cutoff applied", revoked.Cutoff, cutoff)
		w.equal("session presented", revoked.SessionIDs[0], w.id(name))
	}
	w.finish(r)
}

func deadOvertaken(w *world) {
	w.login(store.Session{ID: "old", DeviceID: "phone", AuthenticatedAt: w.ago(5)})
	w.fenceUser("operator", "", w.ago(5))
	w.login(store.Session{ID: "between", DeviceID: "phone", AuthenticatedAt: w.ago(3)})
	survivors := append([]string{"between"}, w.loginAnew()...)
	w.showOvertaken("old", store.ScopeUser, w.ago(5))
	w.wantLive(survivors...)
	w.wantUserCutoff(w.ago(5))
	for _, scope := range []store.Scope{store.ScopeSession, store.ScopeDevice, store.ScopeUser} {
		w.logout("old", scope)
		w.wantLive(survivors...)
	}
}

func deadOvertakenByDevice(w *world) {
	w.login(
		store.Session{ID: "old", DeviceID: "phone", AuthenticatedAt: w.ago(10)},
		store.Session{ID: "laptop", DeviceID: "laptop", AuthenticatedAt: w.ago(3)},
		store.Session{ID: "earlier", DeviceID: "laptop", AuthenticatedAt: w.ago(8)},
	)
	w.fenceUser("operator", "phone", w.ago(5))
	survivors := append([]string{"laptop"}, w.loginAnew()...)
	w.showOvertaken("old", store.ScopeUser, w.ago(5))
	w.wantLive(survivors...)
}

// The later cutoff came when the session had ended already.
func deadOvertakenByBoth(w *world) {
	w.login(store.Session{ID: "old", DeviceID: "phone", AuthenticatedAt: w.ago(10)})
	w.fenceUser("operator", "", w.ago(5))
	w.login(store.Session{ID: "tablet", DeviceID: "tablet", AuthenticatedAt: w.ago(4)})
	r := w.revocation("old", store.ScopeUser, w.fenceSession("old", store.ScopeUser))
	w.fenceUser("operator", "phone", w.ago(3))
	w.equal("cutoff applied", w.revoke(r).Cutoff, w.ago(5))
	w.wantLive("tablet")
}

func deadOvertakenSession(w *world) {
	w.login(store.Session{ID: "old", DeviceID: "phone", AppID: "mail", AuthenticatedAt: w.ago(10)})
	w.fenceUser("operator", "", w.ago(5))
	survivors := w.loginAnew()
	w.subscribe(store.PushRegistration{ID: "p-between", DeviceID: "phone", Provider: "apns", RegisteredAt: w.ago(3)})
	w.showOvertaken("old", store.ScopeSession, w.ago(5))
	w.wantLive(append(survivors, "p-between")...)
}

func deadExpired(w *world) {
	expiry := w.in(brief)
	w.login(
		store.Session{ID: "old", DeviceID: "phone", ExpiresAt: expiry, AuthenticatedAt: w.ago(10)},
		store.Session{ID: "mate", DeviceID: "laptop", AuthenticatedAt: w.ago(8)},
	)
	w.awaitExpiry("old", expiry)
	survivors := w.loginAnew()
	got := w.logout("old", store.ScopeUser)
	w.equal("sessions", got.Sessions, []string{"old", "mate"})
	w.wantLive(survivors...)
	w.wantUserCutoff(expiry)
}

// A mobile client that logs out offline sends it a day late. Nothing is bound to
// the session that would keep its record.
func deadExpiredYesterday(w *world) {
	if w.backend.Age == nil {
		w.Skip("the backend cannot make a record older")
	}
	const late = 25 * time.Hour
	old := w.session(store.Session{ID: "old", DeviceID: "phone"})
	w.login(store.Session{ID: "old", DeviceID: "phone"})
	w.backend.Age(w.T, w.store, old, lifetime+late)
	expiry := old.ExpiresAt.Add(-lifetime - late).Truncate(time.Millisecond)
	w.login(
		store.Session{ID: "before", DeviceID: "laptop", AuthenticatedAt: expiry},
		store.Session{ID: "after", DeviceID: "laptop", AuthenticatedAt: expiry.Add(time.Millisecond)},
	)
	survivors := append([]string{"after"}, w.loginAnew()...)
	f := w.fenceSession("old", store.ScopeUser)
	w.equal("outcome", f.Outcome, store.FenceEnded)
	w.equal("cutoff", f.Cutoff, expiry)
	w.equal("sessions", w.complete(w.revocation("old", store.ScopeUser, f)).Sessions, []string{"old", "before"})
	w.wantLive(survivors...)
}

// What the user has registered since the session expired stays.
func deadExpiredSession(w *world) {
	expiry := w.in(brief)
	w.login(
		store.Session{ID: "old", DeviceID: "phone", AppID: "mail", ExpiresAt: expiry, AuthenticatedAt: w.ago(10)},
		store.Session{ID: "mate", DeviceID: "phone", AppID: "mail", AuthenticatedAt: w.ago(8)},
	)
	w.grant(store.RefreshToken{ID: "t", SessionID: "old"}, store.RefreshToken{ID: "t-mate", SessionID: "mate"})
	w.subscribe(
		store.PushRegistration{ID: "p", DeviceID: "laptop", SessionID: "old", RegisteredAt: w.ago(9)},
		store.PushRegistration{ID: "p-device", DeviceID: "phone", Provider: "apns", RegisteredAt: w.ago(9)},
	)
	w.awaitExpiry("old", expiry)
	w.grant(store.RefreshToken{ID: "t-rotated", RotatedFrom: "t"})
	survivors := w.loginAnew()
	got := w.logout("old", store.ScopeSession)
	w.equal("told", got, told{Sessions: []string{"old"}, Tokens: 2, Pushes: []string{"p", "p-device"}})
	w.wantLive("mate", survivors[0], "t-mate", survivors[1], survivors[2])
}

func deadAsParent(w *world) {
	w.login(store.Session{ID: "old", DeviceID: "phone", AuthenticatedAt: w.ago(10)})
	w.grant(store.RefreshToken{ID: "t", SessionID: "old"})
	w.fenceUser("operator", "phone", w.ago(5))
	w.refused("old", w.putSession(store.Session{ID: "old", ExpiresAt: w.start.Add(2 * lifetime)}), w.ago(5))
	w.refused("t1", w.putToken(store.RefreshToken{ID: "t1", SessionID: "old"}), w.ago(5))
	w.refused("t2", w.putToken(store.RefreshToken{ID: "t2", RotatedFrom: "t"}), w.ago(5))
	w.refused("p", w.putPush(store.PushRegistration{ID: "p", DeviceID: "laptop", SessionID: "old"}), w.ago(5))
	w.wantLive()
}

func deadIsNot(w *world) {
	w.login(
		store.Session{ID: "s", DeviceID: "phone", AuthenticatedAt: w.ago(4)},
		store.Session{ID: "mate", AuthenticatedAt: w.ago(2)},
	)
	w.fenceUser("operator", "", w.ago(5))
	w.fenceUser("operator", "laptop", w.ago(1))
	f := w.fenceSession("s", store.ScopeUser)
	r := w.revocation("s", store.ScopeUser, f)
	w.equal("cutoff applied", w.revoke(r).Cutoff, f.Cutoff)
	w.wantLive()
}
