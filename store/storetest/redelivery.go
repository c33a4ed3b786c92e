package storetest

import (
	"time"

	"github.com/logoutd/logoutd/store"
)

// A request is delivered again until everything about it was done and told.
var redeliveryTests = []test{
	{"revoked twice: the same is told", againRevoked},
	{"after finish it is done", againFinished},
	{"finished twice", againFinishedTwice},
	{"an hour later it ends nothing newer", againLater},
	{"a push registration made again is kept", againReregistered},
	{"v1 and v2 of one session are two requests", againOtherScope},
	{"a cutoff raised meanwhile does not widen it", againOvertaken},
}

// logouts are one revocation of each kind, of a household.
var logouts = map[string]func(w *world) store.Revocation{
	"session": func(w *world) store.Revocation {
		return w.revocation("phone-mail", store.ScopeSession, w.fenceSession("phone-mail", store.ScopeSession))
	},
	"user": func(w *world) store.Revocation {
		return w.revocation("laptop", store.ScopeUser, w.fenceSession("laptop", store.ScopeUser))
	},
	"presented device": func(w *world) store.Revocation {
		return w.revocation("phone-any", store.ScopeDevice, w.fenceSession("phone-any", store.ScopeDevice))
	},
	"operator, user":   func(w *world) store.Revocation { return w.fenceUser("operator", "", time.Time{}) },
	"operator, device": func(w *world) store.Revocation { return w.fenceUser("operator", "phone", time.Time{}) },
}

// eachLogout runs the test for each of the logouts, with a user of its own.
func (w *world) eachLogout(run func(w *world, r store.Revocation)) {
	for name, logout := range logouts {
		fresh := newWorld(w.T, w.backend, w.store)
		household(fresh, fresh.ago(10))
		run(fresh, logout(fresh))
		if w.Failed() {
			w.Fatalf("in a logout by %s", name)
		}
	}
}

func againRevoked(w *world) {
	w.eachLogout(func(w *world, r store.Revocation) {
		first := w.revoke(r)
		second := w.revoke(r)
		w.equal("told", w.told(r, second), w.told(r, first))
		w.equal("cutoff", second.Cutoff, first.Cutoff)
		w.equal("latest expiry", second.LatestExpiry, first.LatestExpiry)
		if len(first.PushRegistrations) == 0 || first.RefreshTokens == 0 && r.DeviceID != "" && r.SessionID == "" {
			w.Errorf("told of too little: %+v", w.told(r, first))
		}
	})
}

func againFinished(w *world) {
	w.eachLogout(func(w *world, r store.Revocation) {
		w.complete(r)
		w.equal("told", w.revoke(r), store.Revoked{Done: true})
	})
}

func againFinishedTwice(w *world) {
	w.eachLogout(func(w *world, r store.Revocation) {
		w.complete(r)
		live := w.live()
		w.finish(r)
		w.wantLive(live...)
		w.equal("told", w.revoke(r), store.Revoked{Done: true})
	})
}

func againLater(w *world) {
	w.eachLogout(func(w *world, r store.Revocation) {
		w.revoke(r)
		w.login(store.Session{ID: "new", DeviceID: "phone"})
		w.grant(store.RefreshToken{ID: "t-new", SessionID: "new"})
		w.subscribe(store.PushRegistration{ID: "p-new", DeviceID: "phone", Provider: "fcm"})
		w.complete(r)
		live := w.live()
		for range 3 {
			w.revoke(r)
			w.finish(r)
		}
		w.wantLive(live...)
		if !w.sessionState("new").Active || !w.tokenState("t-new").Active || !w.registeredAfter("p-new", r.Cutoff) {
			w.Error("a late revocation ended a newer login")
		}
	})
}

func againReregistered(w *world) {
	w.eachLogout(func(w *world, r store.Revocation) {
		first := w.revoke(r)
		w.equal("made again", w.registeredAfter("p-phone-mail", first.Cutoff), false)
		w.refused("p-phone-mail", w.putPush(store.PushRegistration{
			ID: "p-phone-mail", DeviceID: "phone", AppID: "mail", RegisteredAt: w.ago(10),
		}), first.Cutoff)
		w.subscribe(store.PushRegistration{ID: "p-phone-mail", DeviceID: "phone", AppID: "mail", PushToken: "new"})
		w.equal("made again", w.registeredAfter("p-phone-mail", first.Cutoff), true)

		w.revoke(r)
		w.finish(r)
		w.equal("made again", w.registeredAfter("p-phone-mail", first.Cutoff), true)
		for _, p := range w.collected() {
			if w.names[p.ID] == "p-phone-mail" && p.PushToken == "new" {
				return
			}
		}
		w.Error("the registration made again is not collected by the next logout")
	})
}

func againOtherScope(w *world) {
	household(w, w.ago(10))
	first := w.logout("phone-mail", store.ScopeSession)
	w.equal("told", first.Sessions, []string{"phone-mail"})
	second := w.logout("phone-mail", store.ScopeUser)
	w.equal("told", second, told{
		Sessions: []string{"phone-mail", "laptop", "none", "phone-any", "phone-chat"}, Tokens: 3,
		Pushes: []string{"p-laptop", "p-laptop-bound", "p-phone-chat"},
	})
	w.wantLive()
}

// The request's own cutoff stands when the one of a later request overtakes
// its session.
func againOvertaken(w *world) {
	household(w, w.ago(10))
	f := w.fence(store.Fence{RequestID: w.requestID("laptop", store.ScopeUser), SessionID: w.id("laptop"), At: w.ago(5)})
	r := w.revocation("laptop", store.ScopeUser, f)
	first := w.revoke(r)
	w.login(store.Session{ID: "later", AuthenticatedAt: w.ago(4)})
	other := w.fenceUser("operator", "", w.ago(2))
	second := w.revoke(r)
	w.equal("cutoff", second.Cutoff, first.Cutoff)
	w.equal("told", w.told(r, second), w.told(r, first))
	w.equal("told", w.complete(other), told{Sessions: []string{"later"}})
}
