package storetest

import (
	"time"

	"github.com/logoutd/logoutd/store"
)

var revokeTests = []test{
	{"a session: itself and what is bound to it", revokeSession},
	{"a session: push registrations of its device", revokeSessionDevice},
	{"a session and its app: push registrations of the app", revokeSessionApp},
	{"a session without a device: push registrations bound to it", revokeSessionWithoutDevice},
	{"a session: what was registered after it stays", revokeSessionLater},
	{"a user: everything", revokeUser},
	{"a user: what came after the cutoff stays", revokeUserLater},
	{"a user: what is bound to an older session goes", revokeUserBound},
	{"a device: everything on it", revokeDevice},
	{"a device that is not named", revokeNoDevice},
	{"by a session that the store does not know", revokeUnknownSession},
	{"by a session that is nobody's", revokeNobody},
	{"what one request marked stays its own", revokeMarksOnce},
	{"latest expiry of what was marked", revokeLatestExpiry},
	{"a session whose fence was lost", revokeWithoutFence},
}

// household logs the user in on three devices and without one, in two apps,
// everything at the time at.
func household(w *world, at time.Time) {
	w.login(
		store.Session{ID: "phone-mail", DeviceID: "phone", AppID: "mail", AuthenticatedAt: at},
		store.Session{ID: "phone-chat", DeviceID: "phone", AppID: "chat", AuthenticatedAt: at},
		store.Session{ID: "phone-any", DeviceID: "phone", AuthenticatedAt: at},
		store.Session{ID: "laptop", DeviceID: "laptop", AppID: "mail", AuthenticatedAt: at},
		store.Session{ID: "none", AppID: "mail", AuthenticatedAt: at},
	)
	w.grant(
		store.RefreshToken{ID: "t-phone-mail", SessionID: "phone-mail"},
		store.RefreshToken{ID: "t-rotated", RotatedFrom: "t-phone-mail"},
		store.RefreshToken{ID: "t-phone-chat", SessionID: "phone-chat"},
		store.RefreshToken{ID: "t-laptop", SessionID: "laptop"},
		store.RefreshToken{ID: "t-free", AuthenticatedAt: at},
	)
	w.subscribe(
		store.PushRegistration{ID: "p-phone-mail", DeviceID: "phone", AppID: "mail", RegisteredAt: at},
		store.PushRegistration{ID: "p-phone-mail2", DeviceID: "phone", AppID: "mail", Provider: "apns", RegisteredAt: at},
		store.PushRegistration{ID: "p-phone-chat", DeviceID: "phone", AppID: "chat", RegisteredAt: at},
		store.PushRegistration{ID: "p-phone-any", DeviceID: "phone", RegisteredAt: at},
		store.PushRegistration{ID: "p-laptop", DeviceID: "laptop", AppID: "mail", RegisteredAt: at},
		store.PushRegistration{ID: "p-laptop-bound", DeviceID: "laptop", Provider: "apns", SessionID: "none", RegisteredAt: at},
	)
}

func revokeSession(w *world) {
	household(w, w.ago(10))
	got := w.logout("laptop", store.ScopeSession)
	w.equal("told", got, told{Sessions: []string{"laptop"}, Tokens: 1, Pushes: []string{"p-laptop", "p-laptop-bound"}})
	w.wantLive("phone-mail", "phone-chat", "phone-any", "none",
		"t-phone-mail", "t-rotated", "t-phone-chat", "t-free",
		"p-phone-mail", "p-phone-mail2", "p-phone-chat", "p-phone-any")
}

func revokeSessionDevice(w *world) {
	household(w, w.ago(10))
	got := w.logout("phone-any", store.ScopeSession)
	w.equal("told", got, told{
		Sessions: []string{"phone-any"},
		Pushes:   []string{"p-phone-any", "p-phone-chat", "p-phone-mail", "p-phone-mail2"},
	})
	w.wantLive("phone-mail", "phone-chat", "laptop", "none",
		"t-phone-mail", "t-rotated", "t-phone-chat", "t-laptop", "t-free", "p-laptop", "p-laptop-bound")
}

func revokeSessionApp(w *world) {
	household(w, w.ago(10))
	got := w.logout("phone-mail", store.ScopeSession)
	w.equal("told", got, told{
		Sessions: []string{"phone-mail"}, Tokens: 2,
		Pushes: []string{"p-phone-any", "p-phone-mail", "p-phone-mail2"},
	})
	w.wantLive("phone-chat", "phone-any", "laptop", "none",
		"t-phone-chat", "t-laptop", "t-free", "p-phone-chat", "p-laptop", "p-laptop-bound")
}

func revokeSessionWithoutDevice(w *world) {
	household(w, w.ago(10))
	got := w.logout("none", store.ScopeSession)
	w.equal("told", got, told{Sessions: []string{"none"}, Pushes: []string{"p-laptop-bound"}})
	w.refused("p", w.putPush(store.PushRegistration{ID: "p", DeviceID: "laptop", SessionID: "none"}),
		w.fenceSession("none", store.ScopeSession).Cutoff)
	w.subscribe(store.PushRegistration{ID: "p", DeviceID: "laptop", AppID: "mail", RegisteredAt: w.ago(10)})
}

func revokeSessionLater(w *world) {
	household(w, w.ago(10))
	w.subscribe(
		store.PushRegistration{ID: "p-later", DeviceID: "laptop", AppID: "mail", Provider: "fcm", RegisteredAt: w.ago(2)},
		store.PushRegistration{ID: "p-bound", DeviceID: "phone", Provider: "fcm", SessionID: "laptop", RegisteredAt: w.ago(2)},
	)
	f := w.fence(store.Fence{RequestID: w.requestID("laptop", store.ScopeSession), SessionID: w.id("laptop"), At: w.ago(5)})
	r := w.revocation("laptop", store.ScopeSession, f)
	w.equal("told", w.tell(r).Pushes, []string{"p-bound", "p-laptop", "p-laptop-bound"})
	w.equal("one to be deleted was made again", w.registeredAfter("p-bound", w.ago(5)), false)
	w.finish(r)
	w.equal("later registration is there", w.registeredAfter("p-later", w.ago(5)), true)
}

func revokeUser(w *world) {
	household(w, w.ago(10))
	got := w.logout("phone-mail", store.ScopeUser)
	w.equal("told", got, told{
		Sessions: []string{"phone-mail", "laptop", "none", "phone-any", "phone-chat"},
		Tokens:   5,
		Pushes:   []string{"p-laptop", "p-laptop-bound", "p-phone-any", "p-phone-chat", "p-phone-mail", "p-phone-mail2"},
	})
	w.wantLive()
}

func revokeUserLater(w *world) {
	household(w, w.ago(10))
	w.login(store.Session{ID: "later", DeviceID: "phone", AppID: "mail", AuthenticatedAt: w.ago(5).Add(time.Millisecond)})
	w.grant(store.RefreshToken{ID: "t-later", SessionID: "later"})
	w.subscribe(store.PushRegistration{ID: "p-later", DeviceID: "phone", AppID: "mail", Provider: "fcm", RegisteredAt: w.ago(2)})
	w.login(store.Session{ID: "same", AuthenticatedAt: w.ago(5)})

	r := w.fenceUser("operator", "", w.ago(5))
	got := w.complete(r)
	w.equal("sessions", got.Sessions, []string{"laptop", "none", "phone-any", "phone-chat", "phone-mail", "same"})
	w.wantLive("later", "t-later", "p-later")
}

// Until the revoker comes, the other sessions of the user are live, and may
// register again; what is bound to them dies with them.
func revokeUserBound(w *world) {
	w.login(
		store.Session{ID: "phone", DeviceID: "phone", AuthenticatedAt: w.ago(10)},
		store.Session{ID: "laptop", DeviceID: "laptop", AuthenticatedAt: w.ago(9)},
		store.Session{ID: "later", DeviceID: "laptop", AuthenticatedAt: w.ago(2)},
	)
	w.subscribe(
		store.PushRegistration{ID: "p-bound", DeviceID: "laptop", AppID: "mail", SessionID: "laptop", RegisteredAt: w.ago(3)},
		store.PushRegistration{ID: "p-later", DeviceID: "laptop", AppID: "chat", SessionID: "later", RegisteredAt: w.ago(2)},
		store.PushRegistration{ID: "p-free", DeviceID: "laptop", RegisteredAt: w.ago(3)},
	)
	device := w.fenceUser("operator", "laptop", w.ago(5))
	w.equal("told of the device", w.complete(device), told{Sessions: []string{"laptop"}, Pushes: []string{"p-bound"}})
	w.subscribe(store.PushRegistration{ID: "p-phone", DeviceID: "phone", SessionID: "phone", RegisteredAt: w.ago(3)})
	user := w.fenceUser("operator", "", w.ago(5))
	w.equal("told of the user", w.complete(user), told{Sessions: []string{"phone"}, Pushes: []string{"p-phone"}})
	w.wantLive("later", "p-later", "p-free")
}

func revokeDevice(w *world) {
	household(w, w.ago(10))
	got := w.complete(w.fenceUser("operator", "phone", time.Time{}))
	w.equal("told", got, told{
		Sessions: []string{"phone-any", "phone-chat", "phone-mail"}, Tokens: 3,
		Pushes: []string{"p-phone-any", "p-phone-chat", "p-phone-mail", "p-phone-mail2"},
	})
	w.wantLive("laptop", "none", "t-laptop", "t-free", "p-laptop", "p-laptop-bound")
}

func revokeNoDevice(w *world) {
	household(w, w.ago(10))
	got := w.complete(w.fenceUser("operator", "tablet", time.Time{}))
	w.equal("told", got, told{})
	if len(w.live()) != 16 {
		w.Errorf("the logout of a device without anything left only %q", w.live())
	}
}

func revokeUnknownSession(w *world) {
	household(w, w.ago(10))
	r := store.Revocation{
		RequestID: w.requestID("nobody", store.ScopeSession), Scope: store.ScopeSession,
		SessionID: w.id("nobody"), Cutoff: w.start,
	}
	w.equal("told", w.complete(r), told{Sessions: []string{"nobody"}})
	if len(w.live()) != 16 {
		w.Errorf("the logout of an unknown session left only %q", w.live())
	}
}

// All sessions without a user id are not one user's.
func revokeNobody(w *world) {
	nobody := store.User{TenantID: w.seed}
	r := store.Revocation{
		RequestID: w.requestID("s", store.ScopeUser), Scope: store.ScopeUser,
		SessionID: w.id("s"), User: nobody, Cutoff: w.start,
	}
	w.equal("told", w.complete(r), told{Sessions: []string{"s"}})
	w.accepted("other", w.putSession(store.Session{ID: "other", User: nobody, AuthenticatedAt: w.ago(10)}))
}

func revokeMarksOnce(w *world) {
	household(w, w.ago(10))
	first := w.revocation("laptop", store.ScopeSession, w.fenceSession("laptop", store.ScopeSession))
	w.revoke(first)
	second := w.revocation("phone-mail", store.ScopeUser, w.fenceSession("phone-mail", store.ScopeUser))
	got := w.tell(second)
	w.equal("told", got, told{
		Sessions: []string{"phone-mail", "none", "phone-any", "phone-chat"}, Tokens: 4,
		Pushes: []string{"p-phone-any", "p-phone-chat", "p-phone-mail", "p-phone-mail2"},
	})
	third := w.revocation("laptop", store.ScopeUser, w.fenceSession("laptop", store.ScopeUser))
	w.equal("told of a session marked by another", w.tell(third), told{Sessions: []string{"laptop"}})
	w.equal("told again", w.tell(first),
		told{Sessions: []string{"laptop"}, Tokens: 1, Pushes: []string{"p-laptop", "p-laptop-bound"}})
}

func revokeLatestExpiry(w *world) {
	w.login(
		store.Session{ID: "s1", AuthenticatedAt: w.ago(10), ExpiresAt: w.start.Add(2 * lifetime)},
		store.Session{ID: "s2", AuthenticatedAt: w.ago(10), ExpiresAt: w.start.Add(3 * lifetime)},
	)
	bySession := w.revoke(w.revocation("s1", store.ScopeSession, w.fenceSession("s1", store.ScopeSession)))
	w.equal("latest expiry", bySession.LatestExpiry, w.start.Add(2*lifetime))

	w.grant(store.RefreshToken{ID: "t", AuthenticatedAt: w.ago(10), ExpiresAt: w.start.Add(9 * lifetime)})
	r := w.revocation("s2", store.ScopeUser, w.fenceSession("s2", store.ScopeUser))
	w.equal("latest expiry", w.revoke(r).LatestExpiry, w.start.Add(9*lifetime))

	again := w.revocation("s1", store.ScopeUser, w.fenceSession("s1", store.ScopeUser))
	w.equal("latest expiry of a session that another request marked", w.revoke(again).LatestExpiry, w.start.Add(2*lifetime))

	none := w.revoke(w.fenceUser("operator", "phone", time.Time{}))
	w.equal("latest expiry of nothing", none.LatestExpiry, time.Time{})
}

func revokeWithoutFence(w *world) {
	household(w, w.ago(10))
	r := store.Revocation{
		RequestID: w.requestID("laptop", store.ScopeSession), Scope: store.ScopeSession,
		SessionID: w.id("laptop"), User: w.user, DeviceID: "laptop", AppID: "mail",
		AuthenticatedAt: w.ago(10), Cutoff: w.ago(5),
	}
	w.equal("told", w.tell(r),
		told{Sessions: []string{"laptop"}, Tokens: 1, Pushes: []string{"p-laptop", "p-laptop-bound"}})
	if w.sessionState("laptop").Active || w.tokenState("t-laptop").Active {
		w.Error("a session without a fence survived its revocation")
	}
	w.equal("cutoff", w.fenceSession("laptop", store.ScopeSession).Cutoff, w.ago(5))
}
