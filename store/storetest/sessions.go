package storetest

import (
	"time"

	"github.com/logoutd/logoutd/store"
)

var sessionTests = []test{
	{"what was registered is found", sessionIsFound},
	{"what was not registered is unknown", sessionIsUnknown},
	{"again extends the expiry only", sessionAgainExtends},
	{"again never shortens", sessionAgainKeepsExpiry},
	{"time of authentication defaults to now", sessionDefaultsToNow},
	{"the id of another user is refused", sessionOfAnotherUser},
	{"two tenants have the same user id", sessionsOfTwoTenants},
	{"expired is inactive, known, and stays ended", sessionExpires},
}

func sessionIsFound(w *world) {
	want := w.session(store.Session{
		ID: "s", DeviceID: "phone", AppID: "mail", Kind: store.KindBrowser, AuthenticatedAt: w.ago(10),
	})
	put := w.putSession(store.Session{
		ID: "s", DeviceID: "phone", AppID: "mail", Kind: store.KindBrowser, AuthenticatedAt: w.ago(10),
	})
	w.equal("result", put, store.PutResult{ID: want.ID, Created: true})
	w.equal("state", w.sessionState("s"), store.SessionState{Session: want, Known: true, Active: true})
}

func sessionIsUnknown(w *world) {
	if got := w.sessionState("nobody"); got.Known || got.Active {
		w.Errorf("known %t, active %t; want neither", got.Known, got.Active)
	}
}

func sessionAgainExtends(w *world) {
	first := store.Session{ID: "s", DeviceID: "phone", AuthenticatedAt: w.ago(10)}
	w.login(first)
	put := w.putSession(store.Session{
		ID: "s", DeviceID: "laptop", AppID: "mail", Kind: store.KindBrowser,
		AuthenticatedAt: w.ago(5), ExpiresAt: w.start.Add(2 * lifetime),
	})
	w.equal("result", put, store.PutResult{ID: w.id("s")})

	want := w.session(first)
	want.ExpiresAt = w.start.Add(2 * lifetime)
	w.equal("session", w.sessionState("s").Session, want)
}

func sessionAgainKeepsExpiry(w *world) {
	w.login(store.Session{ID: "s", ExpiresAt: w.start.Add(2 * lifetime)})
	w.login(store.Session{ID: "s", ExpiresAt: w.start.Add(lifetime)})
	w.equal("expiry", w.sessionState("s").ExpiresAt, w.start.Add(2*lifetime))
}

func sessionDefaultsToNow(w *world) {
	w.login(store.Session{ID: "s"})
	got := w.sessionState("s").AuthenticatedAt
	if got.Before(w.start.Add(-time.Second)) || got.After(time.Now().Add(time.Second)) {
		w.Errorf("authenticated at %s, registered after %s", got, w.start)
	}
	if !got.Equal(got.Truncate(time.Millisecond)) {
		w.Errorf("authenticated at %s, want whole milliseconds", got)
	}
}

func sessionOfAnotherUser(w *world) {
	w.login(store.Session{ID: "s"})
	for _, other := range []store.User{
		{TenantID: w.user.TenantID, ID: w.user.ID + "x"},
		{TenantID: w.user.TenantID + "x", ID: w.user.ID},
		{ID: w.user.ID},
	} {
		put := w.putSession(store.Session{ID: "s", User: other, ExpiresAt: w.start.Add(2 * lifetime)})
		w.failed("s", put, store.ErrOtherUser)
	}
	w.equal("state", w.sessionState("s").Session.User, w.user)
	w.equal("expiry", w.sessionState("s").ExpiresAt, w.start.Add(lifetime))
}

func sessionsOfTwoTenants(w *world) {
	other := w.as(store.User{TenantID: "other", ID: w.user.ID})
	nobody := w.as(store.User{ID: w.user.ID})
	for name, w := range map[string]*world{"1": w, "2": other, "3": nobody} {
		w.login(store.Session{ID: "s" + name, DeviceID: "phone", AuthenticatedAt: w.ago(10)})
		w.grant(store.RefreshToken{ID: "t" + name, AuthenticatedAt: w.ago(10)})
		w.subscribe(store.PushRegistration{ID: "p" + name, DeviceID: "phone", RegisteredAt: w.ago(10)})
	}
	got := w.logout("s2", store.ScopeUser)
	w.equal("told", got, told{Sessions: []string{"s2"}, Tokens: 1, Pushes: []string{"p2"}})
	for _, name := range []string{"1", "3"} {
		if !w.sessionState("s"+name).Active || !w.tokenState("t"+name).Active || !w.registeredAfter("p"+name, w.ago(11)) {
			w.Errorf("user %s of another tenant was logged out too", name)
		}
	}
	w.accepted("s4", w.putSession(store.Session{ID: "s4", AuthenticatedAt: w.ago(10)}))
}

func sessionExpires(w *world) {
	expiry := w.in(brief)
	w.login(store.Session{ID: "s", ExpiresAt: expiry, AuthenticatedAt: w.ago(10)})
	w.awaitExpiry("s", expiry)
	if time.Now().Before(expiry.Add(-50 * time.Millisecond)) {
		w.Error("inactive before its expiry")
	}
	if !w.sessionState("s").Known {
		w.Error("expired and unknown at once, within its retention")
	}
	again := w.putSession(store.Session{ID: "s", ExpiresAt: w.start.Add(lifetime), AuthenticatedAt: w.ago(10)})
	w.refused("s", again, expiry)
	w.wantLive()
}
