package storetest

import (
	"time"

	"github.com/logoutd/logoutd/store"
)

// traceTests are about what the store can tell of a logout afterwards.
var traceTests = []test{
	{"of a session that was fenced", traceOfFence},
	{"of sessions that their user's logout took along", traceOfUser},
	{"of a session that expired", traceOfExpiry},
	{"of a session that a cutoff overtook", traceOfCutoff},
	{"whether a request was told", traceOfRequest},
}

func (w *world) wantEnd(name string, at time.Time, by string) {
	w.Helper()
	got := w.sessionState(name)
	if got.Active || !got.EndedAt.Equal(at) || got.RevokedBy != by {
		w.Errorf("%s: active %t, ended at %s by %q; want %s by %q", name, got.Active, got.EndedAt, got.RevokedBy, at, by)
	}
}

func traceOfFence(w *world) {
	w.login(store.Session{ID: "s", AuthenticatedAt: w.ago(10)})
	live := w.sessionState("s")
	if !live.Active || !live.EndedAt.IsZero() || live.RevokedBy != "" {
		w.Errorf("a live session: %+v", live)
	}
	f := w.fenceSession("s", store.ScopeSession)
	w.wantEnd("s", f.Cutoff, w.requestID("s", store.ScopeSession))
	w.complete(w.revocation("s", store.ScopeSession, f))
	w.fence(store.Fence{RequestID: "another", SessionID: w.id("s")})
	w.wantEnd("s", f.Cutoff, w.requestID("s", store.ScopeSession))
}

func traceOfUser(w *world) {
	household(w, w.ago(10))
	w.fenceSession("none", store.ScopeSession)
	f := w.fence(store.Fence{RequestID: w.requestID("laptop", store.ScopeUser), SessionID: w.id("laptop"), At: w.ago(5)})
	w.complete(w.revocation("laptop", store.ScopeUser, f))
	for _, name := range []string{"laptop", "phone-mail"} {
		w.wantEnd(name, w.ago(5), w.requestID("laptop", store.ScopeUser))
	}
	if got := w.sessionState("none").RevokedBy; got != w.requestID("none", store.ScopeSession) {
		w.Errorf("a session that had ended before was revoked by %q", got)
	}
}

func traceOfExpiry(w *world) {
	expiry := w.in(brief)
	w.login(store.Session{ID: "s", AuthenticatedAt: w.ago(10), ExpiresAt: expiry})
	w.awaitExpiry("s", expiry)
	w.wantEnd("s", expiry, "")
}

func traceOfCutoff(w *world) {
	w.login(store.Session{ID: "s", AuthenticatedAt: w.ago(10)})
	r := w.fenceUser("operator", "", w.ago(5))
	w.wantEnd("s", w.ago(5), "")
	w.complete(r)
	w.wantEnd("s", w.ago(5), r.RequestID)
}

func traceOfRequest(w *world) {
	household(w, w.ago(10))
	bySession := w.revocation("laptop", store.ScopeSession, w.fenceSession("laptop", store.ScopeSession))
	byDevice := w.fenceUser("operator", "phone", time.Time{})
	byUser := w.fenceUser("operator", "", time.Time{})
	unknown := store.Revocation{RequestID: w.requestID("nobody", store.ScopeSession), SessionID: w.id("nobody")}
	all := []store.Revocation{bySession, byDevice, byUser, unknown}
	finished := func() []bool { return must[bool](w)(w.store.Finished(w.Context(), all)) }
	w.equal("fenced", finished(), []bool{false, false, false, false})
	for _, r := range all[:3] {
		w.revoke(r)
	}
	w.equal("revoked", finished(), []bool{false, false, false, false})
	w.finish(bySession)
	w.finish(byUser)
	w.equal("finished", finished(), []bool{true, false, true, false})
}
