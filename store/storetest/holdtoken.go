package storetest

import (
	"time"

	"github.com/logoutd/logoutd/store"
)

// A push token is one installation of an app. It belongs to the newest
// registration that has it, of whichever user.
var tokenHolderTests = []test{
	{"another user registers the push token", heldByAnotherUser},
	{"the user registers it under a new device", heldByNewDevice},
	{"the newest by time holds it, in any order", heldByNewest},
	{"whose registration is about to be deleted holds nothing", heldByMarked},
	{"the newer registration has another push token now", heldUntilRotated},
	{"the newer registration is gone", heldUntilDeleted},
	{"the older user registers it again", heldAgain},
	{"the same text at another provider is another push token", heldAtProvider},
}

// kept asks as a worker does before it tells the provider to delete what was
// revoked of a registration.
func (w *world) kept(p store.PushRegistration, cutoff time.Time) bool {
	w.Helper()
	p = w.push(p)
	return one[bool](w)(w.store.Reregistered(w.Context(), []store.PushCheck{{
		User: p.User, PushRegistrationID: p.ID, Cutoff: cutoff,
		Provider: p.Provider, PushToken: p.PushToken, RegisteredAt: p.RegisteredAt,
	}}))
}

// wantKept asserts whether the provider must keep the push token, whatever the
// cutoff was.
func (w *world) wantKept(p store.PushRegistration, want bool) {
	w.Helper()
	w.equal("kept for the sake of a newer holder", w.kept(p, w.in(time.Hour)), want)
}

// two are registrations of the same push token, the older first.
func (w *world) two(newer store.PushRegistration) (older, _ store.PushRegistration) {
	w.Helper()
	token := "token " + w.seed
	older = store.PushRegistration{ID: "older", DeviceID: "phone", PushToken: token, RegisteredAt: w.ago(10)}
	newer.ID, newer.PushToken, newer.RegisteredAt = "newer", token, w.ago(5)
	return older, newer
}

func (w *world) other() store.User { return store.User{TenantID: "acme", ID: "other " + w.seed} }

func heldByAnotherUser(w *world) {
	older, newer := w.two(store.PushRegistration{User: w.other(), DeviceID: "phone"})
	w.subscribe(older)
	w.wantKept(older, false)
	w.subscribe(newer)
	w.wantKept(older, true)
	w.wantKept(newer, false)
	w.endUser("operator", "")
	w.wantLive("newer")
	w.wantKept(older, true)
}

func heldByNewDevice(w *world) {
	older, newer := w.two(store.PushRegistration{DeviceID: "phone, set up again"})
	w.subscribe(older, newer)
	w.endUser("operator", "phone")
	w.wantLive("newer")
	w.wantKept(older, true)
	w.wantKept(newer, false)
}

func heldByNewest(w *world) {
	older, newer := w.two(store.PushRegistration{User: w.other(), DeviceID: "phone"})
	w.subscribe(newer)
	w.subscribe(older)
	w.wantKept(older, true)
	w.wantKept(newer, false)
}

// One logout ends both: then the provider is told.
func heldByMarked(w *world) {
	older, newer := w.two(store.PushRegistration{DeviceID: "tablet"})
	w.subscribe(older, newer)
	r := w.fenceUser("operator", "", time.Time{})
	w.revoke(r)
	w.wantKept(older, false)
	w.finish(r)
	w.wantKept(older, false)
	w.wantKept(newer, false)
}

func heldUntilRotated(w *world) {
	older, newer := w.two(store.PushRegistration{User: w.other(), DeviceID: "phone"})
	w.subscribe(older, newer)
	rotated := newer
	rotated.PushToken, rotated.RegisteredAt = "rotated "+w.seed, w.ago(4)
	w.subscribe(rotated)
	w.wantKept(older, false)
	older.PushToken = rotated.PushToken
	w.wantKept(older, true)
}

// The logout of the newer one tells the provider, and so does that of the older
// one from then on.
func heldUntilDeleted(w *world) {
	older, newer := w.two(store.PushRegistration{User: w.other(), DeviceID: "phone"})
	w.subscribe(older, newer)
	w.as(w.other()).endUser("operator", "")
	w.wantLive("older")
	w.wantKept(newer, false)
	w.wantKept(older, false)
}

// The task of the second registration is pending when the first user comes back.
func heldAgain(w *world) {
	older, newer := w.two(store.PushRegistration{User: w.other(), DeviceID: "phone"})
	w.subscribe(older, newer)
	w.as(w.other()).endUser("operator", "")
	again := older
	again.RegisteredAt = time.Time{}
	w.subscribe(again)
	w.wantKept(newer, true)
}

func heldAtProvider(w *world) {
	older, newer := w.two(store.PushRegistration{User: w.other(), DeviceID: "phone", Provider: "apns"})
	w.subscribe(older, newer)
	w.wantKept(older, false)
}
