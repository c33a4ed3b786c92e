package storetest

import (
	"time"

	"github.com/logoutd/logoutd/store"
)

// Tests on a store that keeps tombstones for [shortRetention] only.
var expiryTests = []test{
	{"a fenced session is known until its retention ends", expiryOfFenced},
	{"an expired session is known until its retention ends", expiryOfSession},
	{"a session is kept as long as what is bound to it", expiryOfParent},
	{"a request stays done as long as its tombstones", expiryOfDone},
	{"a cutoff outlives credentials and tombstones", expiryOfCutoff},
	{"indexes do not outlive what they index", expiryOfIndexes},
	{"indexes are pruned by a logout", expiryOfIndexesRevoked},
}

func expiryOfFenced(w *world) {
	expiry := w.in(2 * brief)
	w.login(store.Session{ID: "s", ExpiresAt: expiry, AuthenticatedAt: w.ago(10)})
	f := w.fenceSession("s", store.ScopeSession)
	w.awaitExpiry("s", expiry)
	again := w.fenceSession("s", store.ScopeSession)
	w.equal("outcome", again.Outcome, store.FenceEnded)
	w.equal("cutoff", again.Cutoff, f.Cutoff)
	w.eventually("s is forgotten", func() bool { return !w.sessionState("s").Known })
	if time.Now().Before(expiry.Add(shortRetention - 50*time.Millisecond)) {
		w.Error("forgotten within its retention")
	}
	w.equal("outcome", w.fenceSession("s", store.ScopeSession).Outcome, store.FenceUnknown)
}

func expiryOfSession(w *world) {
	expiry := w.in(brief)
	w.login(store.Session{ID: "s", ExpiresAt: expiry, AuthenticatedAt: w.ago(10)})
	w.grant(store.RefreshToken{ID: "t", ExpiresAt: expiry, AuthenticatedAt: w.ago(10)})
	w.eventually("s and t are forgotten", func() bool {
		return !w.sessionState("s").Known && !w.tokenState("t").Known
	})
	if time.Now().Before(expiry.Add(shortRetention - 50*time.Millisecond)) {
		w.Error("forgotten within its retention")
	}
	w.accepted("s", w.putSession(store.Session{ID: "s", AuthenticatedAt: w.ago(10)}))
	w.wantLive("s")
}

func expiryOfParent(w *world) {
	expiry := w.in(brief)
	w.login(store.Session{ID: "s", DeviceID: "phone", ExpiresAt: expiry, AuthenticatedAt: w.ago(10)})
	w.login(store.Session{ID: "alone", ExpiresAt: expiry, AuthenticatedAt: w.ago(10)})
	w.grant(store.RefreshToken{ID: "t", SessionID: "s", ExpiresAt: expiry.Add(brief)})
	w.grant(store.RefreshToken{ID: "t2", RotatedFrom: "t"})
	w.login(store.Session{ID: "extended", ExpiresAt: expiry, AuthenticatedAt: w.ago(10)})
	extended := store.RefreshToken{ID: "t3", SessionID: "extended", ExpiresAt: expiry, AppID: "mail"}
	w.grant(extended)
	extended.ExpiresAt = w.start.Add(lifetime)
	w.grant(extended)
	w.eventually("alone is forgotten", func() bool { return !w.sessionState("alone").Known })
	w.eventually("t is forgotten", func() bool { return !w.tokenState("t").Known })

	f := w.fenceSession("s", store.ScopeUser)
	w.equal("outcome", f.Outcome, store.FenceEnded)
	w.equal("cutoff", f.Cutoff, expiry)
	w.equal("told", w.complete(w.revocation("s", store.ScopeSession, f)), told{Sessions: []string{"s"}, Tokens: 1})
	w.equal("outcome", w.fenceSession("extended", store.ScopeSession).Outcome, store.FenceEnded)
	w.wantLive()
}

func expiryOfDone(w *world) {
	expiry := w.in(2 * brief)
	w.login(store.Session{ID: "s", ExpiresAt: expiry, AuthenticatedAt: w.ago(10)})
	r := w.revocation("s", store.ScopeUser, w.fenceSession("s", store.ScopeUser))
	w.complete(r)
	w.eventually("the tombstone is near its end", func() bool {
		return time.Now().After(expiry.Add(shortRetention / 2))
	})
	if w.sessionState("s").Known && !w.revoke(r).Done {
		w.Error("no longer done, though its tombstone is there")
	}
}

func expiryOfCutoff(w *world) {
	w.login(store.Session{ID: "s", DeviceID: "phone", ExpiresAt: w.in(brief), AuthenticatedAt: w.ago(10)})
	cutoff := w.fenceSession("s", store.ScopeUser).Cutoff
	w.logout("s", store.ScopeUser)
	w.eventually("s is forgotten", func() bool { return !w.sessionState("s").Known })
	w.refused("s", w.putSession(store.Session{ID: "s", AuthenticatedAt: w.ago(10)}), cutoff)
	w.refused("t", w.putToken(store.RefreshToken{ID: "t", AuthenticatedAt: w.ago(10)}), cutoff)
	w.refused("p", w.putPush(store.PushRegistration{ID: "p", DeviceID: "phone", RegisteredAt: w.ago(10)}), cutoff)
}

func (w *world) eventuallyNoIndex() {
	w.Helper()
	if w.backend.IndexEntries == nil {
		w.Skip("the backend does not show its indexes")
	}
	var left []string
	w.eventually("the indexes are empty", func() bool {
		left = w.backend.IndexEntries(w.T, w.store, w.user)
		return len(left) == 0
	})
}

func expiryOfIndexes(w *world) {
	expiry := w.in(brief)
	w.login(
		store.Session{ID: "s1", DeviceID: "phone", ExpiresAt: expiry, AuthenticatedAt: w.ago(10)},
		store.Session{ID: "s2", ExpiresAt: expiry, AuthenticatedAt: w.ago(10)},
	)
	w.grant(
		store.RefreshToken{ID: "t1", SessionID: "s1", ExpiresAt: expiry},
		store.RefreshToken{ID: "t2", ExpiresAt: expiry},
	)
	w.eventuallyNoIndex()
}

func expiryOfIndexesRevoked(w *world) {
	expiry := w.in(brief)
	w.login(store.Session{ID: "s", DeviceID: "phone", AppID: "mail", ExpiresAt: expiry, AuthenticatedAt: w.ago(10)})
	w.grant(store.RefreshToken{ID: "t", SessionID: "s", ExpiresAt: expiry})
	w.subscribe(
		store.PushRegistration{ID: "p1", DeviceID: "phone", SessionID: "s", RegisteredAt: w.ago(10)},
		store.PushRegistration{ID: "p2", DeviceID: "phone", AppID: "mail", RegisteredAt: w.ago(10)},
	)
	w.logout("s", store.ScopeUser)
	w.eventuallyNoIndex()
}
