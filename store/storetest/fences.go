package storetest

import (
	"time"

	"github.com/logoutd/logoutd/store"
)

var fenceTests = []test{
	{"a live session is dead at once", fenceLive},
	{"an unknown session", fenceUnknown},
	{"repeated: the same cutoff", fenceRepeated},
	{"a browser session may be refused", fenceRefusesBrowser},
	{"at bounds the cutoff", fenceAt},
	{"at before the authentication", fenceAtBeforeAuthentication},
	{"an expired session ended at its expiry", fenceExpired},
	{"at after the expiry", fenceExpiredAt},
	{"durable", fenceDurable},
	{"an earlier fence lowers the end and keeps the mark", fenceLowers},
	{"an earlier fence of a session that is done", fenceLowersDone},
	{"an unknown session leaves a tombstone", fenceTombstone},
	{"a user", fenceUser},
	{"a user's device", fenceDevice},
	{"a user's cutoff never falls", fenceUserEarlier},
}

func fenceLive(w *world) {
	w.login(store.Session{ID: "s", DeviceID: "phone", AppID: "mail", AuthenticatedAt: w.ago(10)})
	w.login(store.Session{ID: "other", AuthenticatedAt: w.ago(10)})
	f := w.fenceSession("s", store.ScopeSession)
	w.equal("outcome", f.Outcome, store.FenceFenced)
	w.equal("session", f.Session, w.session(store.Session{ID: "s", DeviceID: "phone", AppID: "mail", AuthenticatedAt: w.ago(10)}))
	w.aboutNow("cutoff", f.Cutoff)
	w.wantLive("other")
	w.refused("s", w.putSession(store.Session{ID: "s", ExpiresAt: w.start.Add(2 * lifetime)}), f.Cutoff)
	if !w.sessionState("s").Known {
		w.Error("a fenced session is unknown")
	}
}

// aboutNow asserts that the store's clock and ours agree roughly, and that
// what it says has a precision of a millisecond.
func (w *world) aboutNow(what string, t time.Time) {
	w.Helper()
	if t.Before(w.start.Add(-time.Second)) || t.After(time.Now().Add(time.Second)) || !t.Equal(t.Truncate(time.Millisecond)) {
		w.Errorf("%s: got %s, want whole milliseconds around %s", what, t, w.start)
	}
}

func fenceUnknown(w *world) {
	f := w.fenceSession("nobody", store.ScopeSession)
	w.equal("outcome", f.Outcome, store.FenceUnknown)
	w.equal("session", f.Session, store.Session{})
	w.accepted("nobody", w.putSession(store.Session{ID: "nobody", AuthenticatedAt: w.ago(10)}))
}

func fenceRepeated(w *world) {
	w.login(store.Session{ID: "s", AuthenticatedAt: w.ago(10)})
	first := w.fenceSession("s", store.ScopeSession)
	w.eventually("the clock has moved on", func() bool { return time.Since(first.Cutoff) > 5*time.Millisecond })
	for _, scope := range []store.Scope{store.ScopeSession, store.ScopeUser} {
		f := w.fenceSession("s", scope)
		w.equal("outcome", f.Outcome, store.FenceEnded)
		w.equal("cutoff", f.Cutoff, first.Cutoff)
		w.equal("session", f.Session, first.Session)
	}
}

func fenceRefusesBrowser(w *world) {
	w.login(
		store.Session{ID: "browser", Kind: store.KindBrowser, AuthenticatedAt: w.ago(10)},
		store.Session{ID: "api", Kind: store.KindAPI, AuthenticatedAt: w.ago(10)},
	)
	for name, want := range map[string]store.FenceOutcome{"browser": store.FenceRefused, "api": store.FenceFenced} {
		f := w.fence(store.Fence{RequestID: name, SessionID: w.id(name), RefuseBrowser: true})
		w.equal("outcome for "+name, f.Outcome, want)
		w.equal("user", f.Session.User, w.user)
	}
	w.wantLive("browser")
	w.equal("outcome", w.fenceSession("browser", store.ScopeSession).Outcome, store.FenceFenced)
	w.wantLive()
	again := w.fence(store.Fence{RequestID: "again", SessionID: w.id("browser"), RefuseBrowser: true})
	w.equal("outcome once it has ended", again.Outcome, store.FenceEnded)
}

func fenceAt(w *world) {
	w.login(
		store.Session{ID: "early", AuthenticatedAt: w.ago(10)},
		store.Session{ID: "late", AuthenticatedAt: w.ago(10)},
	)
	early := w.fence(store.Fence{RequestID: "early", SessionID: w.id("early"), At: w.ago(5)})
	w.equal("outcome", early.Outcome, store.FenceFenced)
	w.equal("cutoff", early.Cutoff, w.ago(5))
	late := w.fence(store.Fence{RequestID: "late", SessionID: w.id("late"), At: w.start.Add(time.Hour)})
	w.aboutNow("cutoff", late.Cutoff)
	w.wantLive()
}

func fenceAtBeforeAuthentication(w *world) {
	w.login(store.Session{ID: "s", AuthenticatedAt: w.ago(5)})
	f := w.fence(store.Fence{RequestID: "r", SessionID: w.id("s"), At: w.ago(10)})
	w.equal("outcome", f.Outcome, store.FenceFenced)
	w.equal("cutoff", f.Cutoff, w.ago(5))
	w.wantLive()
}

func fenceExpired(w *world) {
	expiry := w.in(brief)
	w.login(store.Session{ID: "s", ExpiresAt: expiry, AuthenticatedAt: w.ago(10)})
	w.awaitExpiry("s", expiry)
	for range 2 {
		f := w.fenceSession("s", store.ScopeSession)
		w.equal("outcome", f.Outcome, store.FenceEnded)
		w.equal("cutoff", f.Cutoff, expiry)
		w.equal("user", f.Session.User, w.user)
	}
	w.refused("s", w.putSession(store.Session{ID: "s", ExpiresAt: w.start.Add(lifetime)}), expiry)
}

func fenceExpiredAt(w *world) {
	expiry := w.in(brief)
	w.login(store.Session{ID: "s", ExpiresAt: expiry, AuthenticatedAt: w.ago(10)})
	w.awaitExpiry("s", expiry)
	f := w.fence(store.Fence{RequestID: "r", SessionID: w.id("s"), At: w.ago(5)})
	w.equal("outcome", f.Outcome, store.FenceEnded)
	w.equal("cutoff", f.Cutoff, w.ago(5))
	w.equal("cutoff when shown again", w.fenceSession("s", store.ScopeUser).Cutoff, w.ago(5))
}

func fenceDurable(w *world) {
	w.login(store.Session{ID: "s", AuthenticatedAt: w.ago(10)})
	durable := store.Fence{RequestID: "r", SessionID: w.id("s"), Durable: true}
	first := w.fence(durable)
	w.equal("outcome", first.Outcome, store.FenceFenced)
	w.aboutNow("cutoff", first.Cutoff)
	w.wantLive()
	again := w.fence(durable)
	w.equal("outcome", again.Outcome, store.FenceEnded)
	w.equal("cutoff", again.Cutoff, first.Cutoff)
	w.equal("outcome", w.fence(store.Fence{RequestID: "r", SessionID: w.id("nobody"), Durable: true}).Outcome, store.FenceUnknown)
	w.equal("cutoff", w.fence(store.Fence{RequestID: "u", User: w.user, At: w.ago(5), Durable: true}).Cutoff, w.ago(5))
}

func fenceUser(w *world) {
	w.login(store.Session{ID: "s", DeviceID: "phone", AuthenticatedAt: w.ago(10)})
	w.login(store.Session{ID: "recent", AuthenticatedAt: w.ago(2)})
	w.grant(
		store.RefreshToken{ID: "t", SessionID: "s"},
		store.RefreshToken{ID: "free", AuthenticatedAt: w.ago(10)},
	)
	r := w.fenceUser("operator", "", w.ago(5))
	w.equal("cutoff", r.Cutoff, w.ago(5))
	w.wantLive("recent")
	w.refused("s1", w.putSession(store.Session{ID: "s1", AuthenticatedAt: w.ago(5)}), w.ago(5))
	w.aboutNow("cutoff", w.fenceUser("again", "", time.Time{}).Cutoff)
	w.wantLive()
}

func fenceDevice(w *world) {
	w.login(
		store.Session{ID: "phone", DeviceID: "phone", AuthenticatedAt: w.ago(10)},
		store.Session{ID: "laptop", DeviceID: "laptop", AuthenticatedAt: w.ago(10)},
		store.Session{ID: "none", AuthenticatedAt: w.ago(10)},
	)
	w.grant(
		store.RefreshToken{ID: "t1", SessionID: "phone"},
		store.RefreshToken{ID: "t2", SessionID: "laptop"},
		store.RefreshToken{ID: "t3", AuthenticatedAt: w.ago(10)},
	)
	w.fenceUser("operator", "phone", time.Time{})
	w.wantLive("laptop", "none", "t2", "t3")
}

func fenceUserEarlier(w *world) {
	w.fenceUser("late", "", w.ago(5))
	w.fenceUser("early", "", w.ago(10))
	w.refused("s", w.putSession(store.Session{ID: "s", AuthenticatedAt: w.ago(5)}), w.ago(5))
}

func fenceLowers(w *world) {
	for _, durable := range []bool{false, true} {
		for _, scope := range []store.Scope{store.ScopeSession, store.ScopeUser} {
			fresh := newWorld(w.T, w.backend, w.store)
			fresh.login(
				store.Session{ID: "s", DeviceID: "phone", AppID: "mail", AuthenticatedAt: fresh.ago(10)},
				store.Session{ID: "newer", DeviceID: "phone", AppID: "mail", AuthenticatedAt: fresh.ago(3)},
			)
			fresh.subscribe(store.PushRegistration{ID: "p", DeviceID: "phone", AppID: "mail", RegisteredAt: fresh.ago(3)})
			late := fresh.fenceSession("s", scope)
			early := fresh.fence(store.Fence{RequestID: "early", SessionID: fresh.id("s"), At: fresh.ago(5), Durable: durable})
			fresh.equal("cutoff", early.Cutoff, fresh.ago(5))
			fresh.wantEnd("s", fresh.ago(5), fresh.requestID("s", scope))
			if durable { // as a dead letter leaves it; else a worker has the earlier cutoff from its look
				fresh.equal("applied", fresh.revoke(fresh.revocation("s", scope, late)).Cutoff, fresh.ago(5))
			} else {
				fresh.complete(fresh.revocation("s", scope, early))
			}
			fresh.wantLive("newer", "p")
			fresh.equal("shown again", fresh.fenceSession("s", store.ScopeUser).Cutoff, fresh.ago(5))
		}
	}
}

func fenceLowersDone(w *world) {
	w.login(store.Session{ID: "s", AuthenticatedAt: w.ago(10)})
	r := w.revocation("s", store.ScopeSession, w.fenceSession("s", store.ScopeSession))
	w.complete(r)
	w.fence(store.Fence{RequestID: "early", SessionID: w.id("s"), At: w.ago(5)})
	w.wantEnd("s", w.ago(5), w.requestID("s", store.ScopeSession))
	w.equal("still done", one[bool](w)(w.store.Finished(w.Context(), []store.Revocation{r})), true)
}

func fenceTombstone(w *world) {
	f := store.Fence{RequestID: "r", SessionID: w.id("s"), At: w.ago(5), EndUnknown: true}
	for range 2 {
		w.equal("outcome", w.fence(f).Outcome, store.FenceUnknown)
	}
	w.refused("s", w.putSession(store.Session{ID: "s", AuthenticatedAt: w.ago(10)}), w.ago(5))
	w.refused("s", w.putSession(store.Session{ID: "s"}), w.ago(5))
	w.refused("t", w.putToken(store.RefreshToken{ID: "t", SessionID: "s"}), w.ago(5))
	w.refused("p", w.putPush(store.PushRegistration{ID: "p", DeviceID: "phone", SessionID: "s"}), w.ago(5))
	w.wantEnd("s", w.ago(5), "r")
	f.EndUnknown = false
	w.equal("shown again", w.fence(f).Outcome, store.FenceUnknown)
}
