package storetest

import (
	"time"

	"github.com/logoutd/logoutd/store"
)

var pushTests = []test{
	{"comes back whole with the revocation", pushIsFound},
	{"made again replaces token, binding and time", pushReplaced},
	{"an earlier one replaces nothing", pushEarlier},
	{"an earlier one replaces what is about to be deleted", pushEarlierThanMarked},
	{"an unknown session is refused", pushOfUnknownSession},
	{"a session of another user is refused", pushOfAnotherUser},
	{"a session that has ended is refused", pushOfEndedSession},
	{"an expired session is refused", pushOfExpiredSession},
	{"reregistered means after the cutoff", pushReregistered},
}

// collected returns the push registrations that a logout of the user collects.
func (w *world) collected() []store.PushRegistration {
	w.Helper()
	return w.revoke(w.fenceUser("collect", "", time.Time{})).PushRegistrations
}

func pushIsFound(w *world) {
	w.login(store.Session{ID: "s", DeviceID: "phone", AuthenticatedAt: w.ago(10)})
	registration := store.PushRegistration{
		ID: "p", DeviceID: "phone", AppID: "mail", Provider: "apns",
		PushToken: "a token", SessionID: "s", RegisteredAt: w.ago(10),
	}
	want := w.push(registration)
	w.equal("result", w.putPush(registration), store.PutResult{ID: want.ID, Created: true})
	w.equal("collected", w.collected(), []store.PushRegistration{want})
}

func pushReplaced(w *world) {
	w.login(store.Session{ID: "s", DeviceID: "phone", AuthenticatedAt: w.ago(10)})
	w.subscribe(store.PushRegistration{ID: "p", DeviceID: "phone", PushToken: "old", SessionID: "s", RegisteredAt: w.ago(10)})
	again := store.PushRegistration{ID: "p", DeviceID: "phone", PushToken: "new", RegisteredAt: w.ago(5)}
	w.equal("result", w.putPush(again), store.PutResult{ID: w.push(again).ID})
	w.equal("collected", w.collected(), []store.PushRegistration{w.push(again)})
}

func pushEarlier(w *world) {
	later := store.PushRegistration{ID: "p", DeviceID: "phone", PushToken: "new", RegisteredAt: w.ago(5)}
	earlier := store.PushRegistration{ID: "p", DeviceID: "phone", PushToken: "old", RegisteredAt: w.ago(10)}
	w.subscribe(later, earlier)
	w.equal("collected", w.collected(), []store.PushRegistration{w.push(later)})
}

// The session's own registration goes with it, whatever time it bears.
func pushEarlierThanMarked(w *world) {
	w.login(store.Session{ID: "s", DeviceID: "phone", AuthenticatedAt: w.ago(10)})
	w.subscribe(store.PushRegistration{ID: "p", DeviceID: "phone", PushToken: "old", SessionID: "s", RegisteredAt: w.ago(2)})
	f := w.fence(store.Fence{RequestID: w.requestID("s", store.ScopeSession), SessionID: w.id("s"), At: w.ago(5)})
	r := w.revocation("s", store.ScopeSession, f)
	w.revoke(r)
	again := store.PushRegistration{ID: "p", DeviceID: "phone", PushToken: "new", RegisteredAt: w.ago(3)}
	w.equal("result", w.putPush(again), store.PutResult{ID: w.push(again).ID, Created: true})
	w.finish(r)
	w.equal("collected", w.collected(), []store.PushRegistration{w.push(again)})
}

func pushOfUnknownSession(w *world) {
	put := w.putPush(store.PushRegistration{ID: "p", DeviceID: "phone", SessionID: "nobody"})
	w.failed("p", put, store.ErrUnknownParent)
	w.wantLive()
}

func pushOfAnotherUser(w *world) {
	w.login(store.Session{ID: "s"})
	other := w.as(store.User{TenantID: "other", ID: w.user.ID})
	put := other.putPush(store.PushRegistration{ID: "p", DeviceID: "phone", SessionID: "s"})
	w.failed("p", put, store.ErrOtherUser)
	w.wantLive("s")
}

func pushOfEndedSession(w *world) {
	w.login(store.Session{ID: "s", AuthenticatedAt: w.ago(10)})
	cutoff := w.fenceSession("s", store.ScopeSession).Cutoff
	w.refused("p", w.putPush(store.PushRegistration{ID: "p", DeviceID: "phone", SessionID: "s"}), cutoff)
	w.wantLive()
}

func pushOfExpiredSession(w *world) {
	expiry := w.in(brief)
	w.login(store.Session{ID: "s", ExpiresAt: expiry, AuthenticatedAt: w.ago(10)})
	w.awaitExpiry("s", expiry)
	w.refused("p", w.putPush(store.PushRegistration{ID: "p", DeviceID: "phone", SessionID: "s"}), expiry)
	w.wantLive()
}

func pushReregistered(w *world) {
	w.subscribe(store.PushRegistration{ID: "p", DeviceID: "phone", RegisteredAt: w.ago(10)})
	cutoff := w.endUser("operator", "laptop")
	w.refused("never", w.putPush(store.PushRegistration{ID: "never", DeviceID: "laptop", RegisteredAt: w.ago(20)}), cutoff)
	got := map[string]bool{
		"before": w.registeredAfter("p", w.ago(10).Add(-time.Millisecond)),
		"at":     w.registeredAfter("p", w.ago(10)),
		"after":  w.registeredAfter("p", w.ago(10).Add(time.Millisecond)),
		"never":  w.registeredAfter("never", w.ago(30)),
	}
	want := map[string]bool{"before": true, "at": false, "after": false, "never": false}
	w.equal("reregistered", got, want)
}
