package storetest

import (
	"errors"
	"time"

	"github.com/logoutd/logoutd/store"
)

var batchTests = []test{
	{"an empty batch", batchEmpty},
	{"one result an item, in order", batchResults},
	{"one item twice in a batch", batchTwice},
	{"fences take effect in order", batchFences},
	{"revocations of one user apply in order", batchRevocations},
	{"the failure of one item is its own", batchFailure},
}

func batchEmpty(w *world) {
	must[store.PutResult](w)(w.store.PutSessions(w.Context(), nil))
	must[store.PutResult](w)(w.store.PutRefreshTokens(w.Context(), nil))
	must[store.PutResult](w)(w.store.PutPushRegistrations(w.Context(), nil))
	must[store.SessionState](w)(w.store.Sessions(w.Context(), nil))
	must[store.RefreshTokenState](w)(w.store.RefreshTokens(w.Context(), nil))
	must[bool](w)(w.store.Reregistered(w.Context(), nil))
	must[store.Fenced](w)(w.store.Fence(w.Context(), nil))
	must[store.Revoked](w)(w.store.Revoke(w.Context(), nil))
	must[error](w)(w.store.Finish(w.Context(), nil))
}

func batchResults(w *world) {
	other := store.User{TenantID: "other", ID: w.user.ID}
	w.login(store.Session{ID: "taken", User: other}, store.Session{ID: "dead", AuthenticatedAt: w.ago(10)})
	w.fenceSession("dead", store.ScopeSession)
	names := []string{"a", "taken", "b", "dead", "c"}
	var sessions []store.Session
	for _, name := range names {
		sessions = append(sessions, w.session(store.Session{ID: name, AuthenticatedAt: w.ago(10)}))
	}
	for i, got := range must[store.PutResult](w)(w.store.PutSessions(w.Context(), sessions)) {
		w.equal("id", got.ID, w.id(names[i]))
		switch names[i] {
		case "taken":
			w.failed("taken", got, store.ErrOtherUser)
		case "dead":
			w.failed("dead", got, store.ErrRevoked)
		default:
			w.equal("result", got, store.PutResult{ID: w.id(names[i]), Created: true})
		}
	}
	states := must[store.SessionState](w)(w.store.Sessions(w.Context(), []string{w.id("c"), w.id("nobody"), w.id("dead"), w.id("a")}))
	var got []bool
	for _, s := range states {
		got = append(got, s.Known, s.Active)
	}
	w.equal("known and active", got, []bool{true, true, false, false, true, false, true, true})
}

func batchTwice(w *world) {
	s := w.session(store.Session{ID: "s", AuthenticatedAt: w.ago(10)})
	longer := s
	longer.ExpiresAt = w.start.Add(2 * lifetime)
	got := must[store.PutResult](w)(w.store.PutSessions(w.Context(), []store.Session{s, longer}))
	w.equal("results", got, []store.PutResult{{ID: s.ID, Created: true}, {ID: s.ID}})
	w.equal("session", w.sessionState("s").Session, longer)

	t := w.token(store.RefreshToken{ID: "t1", SessionID: "s"})
	rotated := w.token(store.RefreshToken{ID: "t2", RotatedFrom: "t1"})
	got = must[store.PutResult](w)(w.store.PutRefreshTokens(w.Context(), []store.RefreshToken{t, rotated}))
	w.equal("results", got, []store.PutResult{{ID: t.ID, Created: true}, {ID: rotated.ID, Created: true}})
}

func batchFences(w *world) {
	w.login(
		store.Session{ID: "a", AuthenticatedAt: w.ago(10)},
		store.Session{ID: "b", AuthenticatedAt: w.ago(10)},
		store.Session{ID: "c", Kind: store.KindBrowser, AuthenticatedAt: w.ago(10)},
	)
	fenced := must[store.Fenced](w)(w.store.Fence(w.Context(), []store.Fence{
		{RequestID: "1", SessionID: w.id("a")},
		{RequestID: "2", SessionID: w.id("nobody")},
		{RequestID: "3", SessionID: w.id("c"), RefuseBrowser: true},
		{RequestID: "4", SessionID: w.id("a")},
		{RequestID: "5", User: w.user, DeviceID: "phone"},
	}))
	var got []store.FenceOutcome
	for _, f := range fenced {
		got = append(got, f.Outcome)
	}
	w.equal("outcomes", got, []store.FenceOutcome{
		store.FenceFenced, store.FenceUnknown, store.FenceRefused, store.FenceEnded, store.FenceFenced,
	})
	w.equal("cutoff of the repetition", fenced[3].Cutoff, fenced[0].Cutoff)
	w.wantLive("b", "c")
}

func batchRevocations(w *world) {
	household(w, w.ago(10))
	first := w.revocation("phone-mail", store.ScopeSession, w.fenceSession("phone-mail", store.ScopeSession))
	second := w.fenceUser("operator", "phone", time.Time{})
	third := w.revocation("laptop", store.ScopeUser, w.fenceSession("laptop", store.ScopeUser))
	batch := []store.Revocation{first, second, third}
	want := []told{
		{Sessions: []string{"phone-mail"}, Tokens: 2, Pushes: []string{"p-phone-any", "p-phone-mail", "p-phone-mail2"}},
		{Sessions: []string{"phone-any", "phone-chat"}, Tokens: 1, Pushes: []string{"p-phone-chat"}},
		{Sessions: []string{"laptop", "none"}, Tokens: 2, Pushes: []string{"p-laptop", "p-laptop-bound"}},
	}
	for range 2 {
		var got []told
		for i, revoked := range must[store.Revoked](w)(w.store.Revoke(w.Context(), batch)) {
			got = append(got, w.told(batch[i], revoked))
		}
		w.equal("told", got, want)
	}
	w.equal("errors", must[error](w)(w.store.Finish(w.Context(), batch)), []error{nil, nil, nil})
	w.wantLive()
}

func batchFailure(w *world) {
	if w.backend.Damage == nil {
		w.Skip("the backend cannot damage a record")
	}
	w.login(
		store.Session{ID: "a", AuthenticatedAt: w.ago(10)},
		store.Session{ID: "broken", AuthenticatedAt: w.ago(10)},
		store.Session{ID: "b", AuthenticatedAt: w.ago(10)},
	)
	w.backend.Damage(w.T, w.store, w.id("broken"))
	var fences []store.Fence
	for _, name := range []string{"a", "broken", "b"} {
		fences = append(fences, store.Fence{RequestID: w.requestID(name, store.ScopeSession), SessionID: w.id(name)})
	}
	for i, f := range must[store.Fenced](w)(w.store.Fence(w.Context(), fences)) {
		if broken := i == 1; broken != (f.Err != nil) {
			w.Errorf("fence %d: error %v", i, f.Err)
		} else if broken && errors.Is(f.Err, store.ErrUnavailable) {
			w.Errorf("fence %d: the failure of an item is told as the store's: %v", i, f.Err)
		}
	}
	states := must[store.SessionState](w)(w.store.Sessions(w.Context(), []string{w.id("a"), w.id("b")}))
	if states[0].Active || states[1].Active {
		w.Error("the neighbours of a broken session were not fenced")
	}
}
