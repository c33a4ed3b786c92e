package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/logoutd/logoutd/store"
)

var tokenTests = []test{
	{"bound to nothing", tokenUnbound},
	{"again extends the expiry only", tokenAgainExtends},
	{"bound to a session inherits device and time", tokenInheritsFromSession},
	{"rotated inherits binding, device and time", tokenInheritsFromPredecessor},
	{"the replaced token stays", tokenReplacedStays},
	{"an unknown parent is refused", tokenOfUnknownParent},
	{"a parent of another user is refused", tokenOfAnotherUser},
	{"a revoked session takes its tokens along", tokenDiesWithSession},
	{"a dead token is not rotated", tokenDeadNotRotated},
	{"a token of a revoked session is not rotated", tokenOfRevokedSession},
	{"outlives the expiry of its session and is rotated", tokenOutlivesSession},
	{"expired is inactive and is not rotated", tokenExpires},
}

// inherited ignores what a store need not remember.
var inherited = cmpopts.IgnoreFields(store.RefreshToken{}, "RotatedFrom")

func tokenUnbound(w *world) {
	want := w.token(store.RefreshToken{ID: "t", AppID: "mail", AuthenticatedAt: w.ago(10)})
	put := w.putToken(store.RefreshToken{ID: "t", AppID: "mail", AuthenticatedAt: w.ago(10)})
	w.equal("result", put, store.PutResult{ID: want.ID, Created: true})
	w.equal("state", w.tokenState("t"), store.RefreshTokenState{RefreshToken: want, Known: true, Active: true})
	if got := w.tokenState("nothing"); got.Known || got.Active {
		w.Errorf("a token never registered: known %t, active %t", got.Known, got.Active)
	}
}

func tokenAgainExtends(w *world) {
	first := store.RefreshToken{ID: "t", AppID: "mail", AuthenticatedAt: w.ago(10)}
	w.grant(first)
	longer, shorter := first, first
	longer.ExpiresAt, longer.AuthenticatedAt, longer.AppID = w.start.Add(48*lifetime), w.ago(5), "calendar"
	shorter.ExpiresAt = w.start.Add(lifetime)
	w.equal("result", w.putToken(longer), store.PutResult{ID: w.id("t")})
	w.equal("result", w.putToken(shorter), store.PutResult{ID: w.id("t")})

	want := w.token(first)
	want.ExpiresAt = longer.ExpiresAt
	w.equal("token", w.tokenState("t").RefreshToken, want)
	w.failed("t", w.as(store.User{ID: "other " + w.seed}).putToken(first), store.ErrOtherUser)
}

func tokenInheritsFromSession(w *world) {
	w.login(store.Session{ID: "s", DeviceID: "phone", AppID: "mail", AuthenticatedAt: w.ago(10)})
	bound := store.RefreshToken{ID: "t", SessionID: "s", DeviceID: "tablet", AppID: "calendar", AuthenticatedAt: w.ago(1)}
	w.grant(bound)

	want := w.token(bound)
	want.DeviceID, want.AuthenticatedAt = "phone", w.ago(10)
	w.equal("token", w.tokenState("t").RefreshToken, want)
}

func tokenInheritsFromPredecessor(w *world) {
	w.login(store.Session{ID: "s", DeviceID: "phone", AuthenticatedAt: w.ago(10)})
	w.grant(
		store.RefreshToken{ID: "t1", SessionID: "s"},
		store.RefreshToken{ID: "t2", RotatedFrom: "t1", DeviceID: "tablet", AuthenticatedAt: w.ago(1)},
		store.RefreshToken{ID: "t3", RotatedFrom: "t2"},
	)
	want := w.token(store.RefreshToken{ID: "t3", SessionID: "s", DeviceID: "phone", AuthenticatedAt: w.ago(10)})
	w.equal("token", w.tokenState("t3").RefreshToken, want, inherited)

	w.grant(
		store.RefreshToken{ID: "u1", AuthenticatedAt: w.ago(20)},
		store.RefreshToken{ID: "u2", RotatedFrom: "u1"},
	)
	want = w.token(store.RefreshToken{ID: "u2", AuthenticatedAt: w.ago(20)})
	w.equal("token", w.tokenState("u2").RefreshToken, want, inherited)
}

func tokenReplacedStays(w *world) {
	w.grant(store.RefreshToken{ID: "t1"}, store.RefreshToken{ID: "t2", RotatedFrom: "t1"})
	w.wantLive("t1", "t2")
}

func tokenOfUnknownParent(w *world) {
	w.failed("t1", w.putToken(store.RefreshToken{ID: "t1", SessionID: "nobody"}), store.ErrUnknownParent)
	w.failed("t2", w.putToken(store.RefreshToken{ID: "t2", RotatedFrom: "nothing"}), store.ErrUnknownParent)
	w.wantLive()
}

func tokenOfAnotherUser(w *world) {
	w.login(store.Session{ID: "s"})
	w.grant(store.RefreshToken{ID: "t"})
	other := w.as(store.User{TenantID: "other", ID: w.user.ID})
	w.failed("t1", other.putToken(store.RefreshToken{ID: "t1", SessionID: "s"}), store.ErrOtherUser)
	w.failed("t2", other.putToken(store.RefreshToken{ID: "t2", RotatedFrom: "t"}), store.ErrOtherUser)
	w.wantLive("s", "t")
}

func tokenDiesWithSession(w *world) {
	w.login(store.Session{ID: "s", AuthenticatedAt: w.ago(10)})
	w.grant(
		store.RefreshToken{ID: "t1", SessionID: "s"},
		store.RefreshToken{ID: "t2", RotatedFrom: "t1"},
		store.RefreshToken{ID: "free", AuthenticatedAt: w.ago(10)},
	)
	cutoff := w.fenceSession("s", store.ScopeSession).Cutoff
	w.wantLive("free")
	w.refused("t3", w.putToken(store.RefreshToken{ID: "t3", SessionID: "s"}), cutoff)
	w.wantLive("free")
}

func tokenDeadNotRotated(w *world) {
	w.grant(store.RefreshToken{ID: "free", AuthenticatedAt: w.ago(10)})
	r := w.fenceUser("operator", "", time.Time{})
	w.refused("t1", w.putToken(store.RefreshToken{ID: "t1", RotatedFrom: "free"}), r.Cutoff)
	w.complete(r)
	w.refused("t1", w.putToken(store.RefreshToken{ID: "t1", RotatedFrom: "free"}), r.Cutoff)
	w.refused("free", w.putToken(store.RefreshToken{ID: "free", ExpiresAt: w.start.Add(48 * lifetime)}), r.Cutoff)
	w.wantLive()
}

func tokenOfRevokedSession(w *world) {
	w.login(store.Session{ID: "s", AuthenticatedAt: w.ago(10)})
	w.grant(store.RefreshToken{ID: "t", SessionID: "s"})
	f := w.fenceSession("s", store.ScopeSession)
	w.refused("t1", w.putToken(store.RefreshToken{ID: "t1", RotatedFrom: "t"}), f.Cutoff)
	w.complete(w.revocation("s", store.ScopeSession, f))
	w.refused("t1", w.putToken(store.RefreshToken{ID: "t1", RotatedFrom: "t"}), f.Cutoff)
	w.refused("t", w.putToken(store.RefreshToken{ID: "t", SessionID: "s"}), f.Cutoff)
	w.wantLive()
}

func tokenOutlivesSession(w *world) {
	expiry := w.in(brief)
	w.login(store.Session{ID: "s", DeviceID: "phone", ExpiresAt: expiry, AuthenticatedAt: w.ago(10)})
	w.grant(store.RefreshToken{ID: "t1", SessionID: "s"})
	w.awaitExpiry("s", expiry)

	w.grant(store.RefreshToken{ID: "t2", RotatedFrom: "t1"})
	w.refused("t3", w.putToken(store.RefreshToken{ID: "t3", SessionID: "s"}), expiry)
	w.wantLive("t1", "t2")

	f := w.fenceSession("s", store.ScopeSession)
	w.equal("outcome", f.Outcome, store.FenceEnded)
	w.equal("cutoff", f.Cutoff, expiry)
	w.wantLive()
	w.refused("t4", w.putToken(store.RefreshToken{ID: "t4", RotatedFrom: "t2"}), expiry)
	got := w.complete(w.revocation("s", store.ScopeSession, f))
	w.equal("told", got, told{Sessions: []string{"s"}, Tokens: 2})
}

func tokenExpires(w *world) {
	expiry := w.in(brief)
	w.grant(store.RefreshToken{ID: "t", ExpiresAt: expiry, AuthenticatedAt: w.ago(10)})
	w.eventually("t has expired", func() bool { return !w.tokenState("t").Active })
	w.refused("t1", w.putToken(store.RefreshToken{ID: "t1", RotatedFrom: "t"}), expiry)
	w.refused("t", w.putToken(store.RefreshToken{ID: "t", AuthenticatedAt: w.ago(10)}), expiry)
	w.wantLive()
}
