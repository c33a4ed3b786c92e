package storetest

import (
	"time"

	"github.com/logoutd/logoutd/store"
)

// sessionState looks a session up by name.
func (w *world) sessionState(name string) store.SessionState {
	w.Helper()
	return one[store.SessionState](w)(w.store.Sessions(w.Context(), []string{w.id(name)}))
}

func (w *world) tokenState(name string) store.RefreshTokenState {
	w.Helper()
	return one[store.RefreshTokenState](w)(w.store.RefreshTokens(w.Context(), []string{w.id(name)}))
}

// awaitExpiry waits until the named session, which expires at the time, is no
// longer active, and what is registered next comes later.
func (w *world) awaitExpiry(name string, expiry time.Time) {
	w.Helper()
	w.eventually(name+" has expired", func() bool {
		return !w.sessionState(name).Active && time.Since(expiry) > 20*time.Millisecond
	})
}

// registeredAfter reports whether the push registration is there with a time
// after the cutoff.
func (w *world) registeredAfter(name string, cutoff time.Time) bool {
	w.Helper()
	for _, p := range w.pushes {
		if w.names[p.ID] == name {
			check := store.PushCheck{User: p.User, PushRegistrationID: p.ID, Cutoff: cutoff}
			return one[bool](w)(w.store.Reregistered(w.Context(), []store.PushCheck{check}))
		}
	}
	w.Fatalf("no push registration %s", name)
	return false
}

// live names what the test tried to register and is now active (of push
// registrations: is there), in the order of registration: sessions first,
// then refresh tokens, then push registrations.
func (w *world) live() []string {
	w.Helper()
	names := []string{}
	for _, s := range must[store.SessionState](w)(w.store.Sessions(w.Context(), w.sessions)) {
		if s.Active {
			names = append(names, w.names[s.ID])
		}
	}
	for _, r := range must[store.RefreshTokenState](w)(w.store.RefreshTokens(w.Context(), w.tokens)) {
		if r.Active {
			names = append(names, w.names[r.ID])
		}
	}
	return append(names, w.livePushes()...)
}

func (w *world) livePushes() []string {
	w.Helper()
	var names, ids []string
	var checks []store.PushCheck
	for _, p := range w.pushes {
		if n := len(ids); len(appendNew(ids, p.ID)) > n {
			ids = append(ids, p.ID)
			checks = append(checks, store.PushCheck{User: p.User, PushRegistrationID: p.ID, Cutoff: time.UnixMilli(1)})
		}
	}
	for i, there := range must[bool](w)(w.store.Reregistered(w.Context(), checks)) {
		if there {
			names = append(names, w.names[ids[i]])
		}
	}
	return names
}

// wantLive asserts that these and no others are live.
func (w *world) wantLive(names ...string) {
	w.Helper()
	if names == nil {
		names = []string{}
	}
	w.equal("live", w.live(), names)
}
