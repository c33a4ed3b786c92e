package storetest

import (
	"time"

	"github.com/logoutd/logoutd/store"
)

var cutoffTests = []test{
	{"of a user: what is refused", cutoffOfUser},
	{"of a device: what is refused", cutoffOfDevice},
	{"of a device, after one of its user", cutoffOfDeviceAfterUser},
	{"of a session's device: push registrations", cutoffOfPush},
	{"of a session's device and app: push registrations", cutoffOfPushApp},
	{"now clears every cutoff", cutoffClearedByNow},
	{"now clears a cutoff ahead of the clock", cutoffAhead},
	{"never falls", cutoffNeverFalls},
	{"the clocks of two front ends disagree", cutoffClocksDisagree},
}

func cutoffOfUser(w *world) {
	household(w, w.ago(10))
	w.complete(w.fenceUser("operator", "", w.ago(5)))
	at, after := w.ago(5), w.ago(5).Add(time.Millisecond)
	w.refused("s1", w.putSession(store.Session{ID: "s1", AuthenticatedAt: at}), at)
	w.refused("s2", w.putSession(store.Session{ID: "s2", DeviceID: "phone", AuthenticatedAt: w.ago(9)}), at)
	w.refused("t1", w.putToken(store.RefreshToken{ID: "t1", AuthenticatedAt: at}), at)
	w.refused("t2", w.putToken(store.RefreshToken{ID: "t2", SessionID: "laptop"}), at)
	w.refused("t3", w.putToken(store.RefreshToken{ID: "t3", RotatedFrom: "t-free"}), at)
	w.refused("p1", w.putPush(store.PushRegistration{ID: "p1", DeviceID: "new", RegisteredAt: at}), at)
	w.refused("p-laptop", w.putPush(store.PushRegistration{ID: "p-laptop", DeviceID: "laptop", AppID: "mail", RegisteredAt: at}), at)
	w.refused("p2", w.putPush(store.PushRegistration{ID: "p2", DeviceID: "laptop", SessionID: "laptop"}), at)
	w.wantLive()

	w.login(store.Session{ID: "s3", DeviceID: "phone", AuthenticatedAt: after})
	w.grant(store.RefreshToken{ID: "t4", AuthenticatedAt: after}, store.RefreshToken{ID: "t5", SessionID: "s3"})
	w.subscribe(store.PushRegistration{ID: "p3", DeviceID: "phone", Provider: "fcm", RegisteredAt: after})
	w.wantLive("s3", "t4", "t5", "p3")
}

func cutoffOfDevice(w *world) {
	w.login(store.Session{ID: "old", DeviceID: "phone", AuthenticatedAt: w.ago(10)})
	w.grant(store.RefreshToken{ID: "t-old", SessionID: "old"})
	w.complete(w.fenceUser("operator", "phone", w.ago(5)))
	at, after := w.ago(5), w.ago(5).Add(time.Millisecond)
	w.refused("s1", w.putSession(store.Session{ID: "s1", DeviceID: "phone", AuthenticatedAt: at}), at)
	w.refused("t1", w.putToken(store.RefreshToken{ID: "t1", SessionID: "old"}), at)
	w.refused("t2", w.putToken(store.RefreshToken{ID: "t2", RotatedFrom: "t-old"}), at)
	w.refused("p1", w.putPush(store.PushRegistration{ID: "p1", DeviceID: "phone", RegisteredAt: at}), at)
	w.wantLive()

	w.login(
		store.Session{ID: "s2", DeviceID: "phone", AuthenticatedAt: after},
		store.Session{ID: "s3", DeviceID: "laptop", AuthenticatedAt: at},
		store.Session{ID: "s4", AuthenticatedAt: at},
	)
	w.grant(store.RefreshToken{ID: "t3", AuthenticatedAt: at}, store.RefreshToken{ID: "t4", SessionID: "s3"})
	w.subscribe(store.PushRegistration{ID: "p2", DeviceID: "laptop", RegisteredAt: at})
	w.wantLive("s2", "s3", "s4", "t3", "t4", "p2")
}

// What no session was presented for is overtaken by nothing: its own cutoff
// applies, whatever its user's is.
func cutoffOfDeviceAfterUser(w *world) {
	w.complete(w.fenceUser("operator", "", w.ago(10)))
	w.login(
		store.Session{ID: "s1", DeviceID: "phone", AuthenticatedAt: w.ago(7)},
		store.Session{ID: "s2", DeviceID: "laptop", AuthenticatedAt: w.ago(7)},
	)
	w.equal("told", w.complete(w.fenceUser("operator", "phone", w.ago(5))), told{Sessions: []string{"s1"}})
	w.wantLive("s2")
}

// logoutAt is a v1 logout of the session with a cutoff at the time.
func (w *world) logoutAt(name string, at time.Time) {
	w.Helper()
	f := w.fence(store.Fence{RequestID: w.requestID(name, store.ScopeSession), SessionID: w.id(name), At: at})
	w.complete(w.revocation(name, store.ScopeSession, f))
}

func cutoffOfPush(w *world) {
	w.login(store.Session{ID: "s", DeviceID: "phone", AuthenticatedAt: w.ago(10)})
	w.logoutAt("s", w.ago(5))
	at, after := w.ago(5), w.ago(5).Add(time.Millisecond)
	w.refused("p1", w.putPush(store.PushRegistration{ID: "p1", DeviceID: "phone", RegisteredAt: at}), at)
	w.refused("p2", w.putPush(store.PushRegistration{ID: "p2", DeviceID: "phone", AppID: "mail", RegisteredAt: w.ago(8)}), at)
	w.wantLive()

	w.subscribe(
		store.PushRegistration{ID: "p3", DeviceID: "phone", RegisteredAt: after},
		store.PushRegistration{ID: "p4", DeviceID: "laptop", RegisteredAt: at},
	)
	w.login(store.Session{ID: "s1", DeviceID: "phone", AuthenticatedAt: w.ago(9)})
	w.grant(store.RefreshToken{ID: "t1", SessionID: "s1"}, store.RefreshToken{ID: "t2", AuthenticatedAt: w.ago(9)})
	w.wantLive("s1", "t1", "t2", "p3", "p4")
}

func cutoffOfPushApp(w *world) {
	w.login(
		store.Session{ID: "mail", DeviceID: "phone", AppID: "mail", AuthenticatedAt: w.ago(10)},
		store.Session{ID: "chat", DeviceID: "phone", AppID: "chat", AuthenticatedAt: w.ago(10)},
	)
	w.logoutAt("mail", w.ago(7))
	w.logoutAt("chat", w.ago(5))
	w.refused("p1", w.putPush(store.PushRegistration{ID: "p1", DeviceID: "phone", AppID: "mail", RegisteredAt: w.ago(7)}), w.ago(7))
	w.refused("p2", w.putPush(store.PushRegistration{ID: "p2", DeviceID: "phone", RegisteredAt: w.ago(5)}), w.ago(5))
	w.subscribe(
		store.PushRegistration{ID: "p3", DeviceID: "phone", AppID: "mail", RegisteredAt: w.ago(6)},
		store.PushRegistration{ID: "p4", DeviceID: "phone", AppID: "map", RegisteredAt: w.ago(10)},
		store.PushRegistration{ID: "p5", DeviceID: "phone", RegisteredAt: w.ago(4)},
	)
	w.wantLive("p3", "p5", "p4")
}

func cutoffClearedByNow(w *world) {
	w.login(store.Session{ID: "s", DeviceID: "phone", AppID: "mail", AuthenticatedAt: w.ago(10)})
	for _, scope := range []store.Scope{store.ScopeSession, store.ScopeUser, store.ScopeDevice} {
		w.logout("s", scope)
	}
	cutoff := w.endUser("operator", "phone")
	w.login(store.Session{ID: "s1", DeviceID: "phone"})
	w.grant(store.RefreshToken{ID: "t1"}, store.RefreshToken{ID: "t2", SessionID: "s1"})
	w.subscribe(
		store.PushRegistration{ID: "p1", DeviceID: "phone", AppID: "mail"},
		store.PushRegistration{ID: "p2", DeviceID: "phone", SessionID: "s1"},
	)
	w.wantLive("s1", "t1", "t2", "p1", "p2")
	if got := w.sessionState("s1").AuthenticatedAt; !got.After(cutoff) {
		w.Errorf("authenticated at %s, the cutoff is %s", got, cutoff)
	}
}

func cutoffAhead(w *world) {
	if w.backend.SetTime == nil {
		w.Skip("the backend cannot set a stored time")
	}
	ahead := w.in(5 * time.Second)
	session := store.Session{ID: "s", DeviceID: "phone", AuthenticatedAt: w.ago(10)}
	w.login(session)
	w.backend.SetTime(w.T, w.store, w.session(session), ahead)
	f := w.fenceSession("s", store.ScopeUser)
	w.complete(w.revocation("s", store.ScopeUser, f))
	w.refused("s1", w.putSession(store.Session{ID: "s1", AuthenticatedAt: w.start}), ahead)

	w.login(store.Session{ID: "s2"})
	w.grant(store.RefreshToken{ID: "t2"})
	w.subscribe(store.PushRegistration{ID: "p2", DeviceID: "phone"})
	w.equal("authenticated at", w.sessionState("s2").AuthenticatedAt, ahead.Add(time.Millisecond))
	w.wantLive("s2", "t2", "p2")
}

func cutoffNeverFalls(w *world) {
	w.login(store.Session{ID: "s", DeviceID: "phone", AppID: "mail", AuthenticatedAt: w.ago(20)})
	w.complete(w.fenceUser("late", "", w.ago(5)))
	w.complete(w.fenceUser("early", "", w.ago(10)))
	w.refused("s1", w.putSession(store.Session{ID: "s1", AuthenticatedAt: w.ago(5)}), w.ago(5))

	w.complete(w.fenceUser("late", "laptop", w.ago(2)))
	w.complete(w.fenceUser("early", "laptop", w.ago(4)))
	w.refused("s2", w.putSession(store.Session{ID: "s2", DeviceID: "laptop", AuthenticatedAt: w.ago(3)}), w.ago(2))

	w.login(
		store.Session{ID: "first", DeviceID: "tablet", AppID: "mail", AuthenticatedAt: w.ago(4)},
		store.Session{ID: "second", DeviceID: "tablet", AppID: "mail", AuthenticatedAt: w.ago(4)},
	)
	w.logoutAt("first", w.ago(1))
	w.logoutAt("second", w.ago(3))
	late := store.PushRegistration{ID: "p", DeviceID: "tablet", AppID: "mail", RegisteredAt: w.ago(2)}
	w.refused("p", w.putPush(late), w.ago(1))
}

// One front end's clock is behind, so the cutoff of its request, which comes
// second, is the earlier one.
func cutoffClocksDisagree(w *world) {
	w.login(
		store.Session{ID: "a", AuthenticatedAt: w.ago(10)},
		store.Session{ID: "b", AuthenticatedAt: w.ago(10)},
		store.Session{ID: "c", AuthenticatedAt: w.ago(3)},
	)
	ahead := w.fence(store.Fence{RequestID: w.requestID("a", store.ScopeUser), SessionID: w.id("a"), At: w.ago(4)})
	w.complete(w.revocation("a", store.ScopeUser, ahead))
	behind := w.fence(store.Fence{RequestID: w.requestID("b", store.ScopeUser), SessionID: w.id("b"), At: w.ago(9)})
	w.complete(w.revocation("b", store.ScopeUser, behind))
	w.refused("d", w.putSession(store.Session{ID: "d", AuthenticatedAt: w.ago(4)}), w.ago(4))
	w.wantLive("c")
}
