package storetest

import (
	"errors"
	"time"

	"github.com/logoutd/logoutd/store"
)

// lifetime is that of a credential whose test names no expiry.
const lifetime = time.Hour

// brief is that of a credential that a test sees expire.
const brief = 400 * time.Millisecond

// session completes a session: its ID is a name, its user the world's unless
// set, and it lives for a while unless told otherwise.
func (w *world) session(s store.Session) store.Session {
	s.ID = w.id(s.ID)
	if s.User == (store.User{}) {
		s.User = w.user
	}
	if s.ExpiresAt.IsZero() {
		s.ExpiresAt = w.start.Add(lifetime)
	}
	if s.Kind == "" {
		s.Kind = store.KindAPI
	}
	return s
}

// token completes a refresh token as session does; its parents are names.
func (w *world) token(r store.RefreshToken) store.RefreshToken {
	r.ID = w.id(r.ID)
	if r.User == (store.User{}) {
		r.User = w.user
	}
	if r.ExpiresAt.IsZero() {
		r.ExpiresAt = w.start.Add(24 * lifetime)
	}
	if r.SessionID != "" {
		r.SessionID = w.id(r.SessionID)
	}
	if r.RotatedFrom != "" {
		r.RotatedFrom = w.id(r.RotatedFrom)
	}
	return r
}

// push completes a push registration: its ID is the name by which the test
// knows it, its session a name.
func (w *world) push(p store.PushRegistration) store.PushRegistration {
	name := p.ID
	if p.User == (store.User{}) {
		p.User = w.user
	}
	if p.Provider == "" {
		p.Provider = "http"
	}
	if p.PushToken == "" {
		p.PushToken = "push token of " + name
	}
	if p.SessionID != "" {
		p.SessionID = w.id(p.SessionID)
	}
	p.ID = store.PushRegistrationID(p)
	w.names[p.ID] = name
	return p
}

// putSession registers a session as it is completed by session.
func (w *world) putSession(s store.Session) store.PutResult {
	w.Helper()
	s = w.session(s)
	w.sessions = appendNew(w.sessions, s.ID)
	return one[store.PutResult](w)(w.store.PutSessions(w.Context(), []store.Session{s}))
}

// putToken registers a refresh token as it is completed by token.
func (w *world) putToken(r store.RefreshToken) store.PutResult {
	w.Helper()
	r = w.token(r)
	w.tokens = appendNew(w.tokens, r.ID)
	return one[store.PutResult](w)(w.store.PutRefreshTokens(w.Context(), []store.RefreshToken{r}))
}

// putPush registers a push registration as it is completed by push.
func (w *world) putPush(p store.PushRegistration) store.PutResult {
	w.Helper()
	p = w.push(p)
	w.pushes = append(w.pushes, p)
	return one[store.PutResult](w)(w.store.PutPushRegistrations(w.Context(), []store.PushRegistration{p}))
}

// login registers sessions, which must be accepted, in one batch.
func (w *world) login(sessions ...store.Session) {
	w.Helper()
	batch := make([]store.Session, len(sessions))
	for i, s := range sessions {
		batch[i] = w.session(s)
		w.sessions = appendNew(w.sessions, batch[i].ID)
	}
	w.allAccepted(must[store.PutResult](w)(w.store.PutSessions(w.Context(), batch)))
}

// grant registers refresh tokens, which must be accepted, one after another.
func (w *world) grant(tokens ...store.RefreshToken) {
	w.Helper()
	for _, r := range tokens {
		w.accepted(r.ID, w.putToken(r))
	}
}

// subscribe registers push registrations, which must be accepted, in one batch.
func (w *world) subscribe(registrations ...store.PushRegistration) {
	w.Helper()
	batch := make([]store.PushRegistration, len(registrations))
	for i, p := range registrations {
		batch[i] = w.push(p)
	}
	w.pushes = append(w.pushes, batch...)
	w.allAccepted(must[store.PutResult](w)(w.store.PutPushRegistrations(w.Context(), batch)))
}

func (w *world) allAccepted(results []store.PutResult) {
	w.Helper()
	for _, r := range results {
		w.accepted(w.names[r.ID], r)
	}
}

func (w *world) accepted(name string, r store.PutResult) {
	w.Helper()
	if r.Err != nil {
		w.Fatalf("registering %s: %v", name, r.Err)
	}
}

// refused asserts that a registration was refused, and which cutoff it was told.
func (w *world) refused(name string, r store.PutResult, cutoff time.Time) {
	w.Helper()
	revoked, ok := errors.AsType[*store.RevokedError](r.Err)
	switch {
	case !ok:
		w.Errorf("registering %s: got error %v, want a RevokedError", name, r.Err)
	case !errors.Is(r.Err, store.ErrRevoked):
		w.Errorf("registering %s: %v does not match ErrRevoked", name, r.Err)
	case !revoked.Cutoff.Equal(cutoff):
		w.Errorf("registering %s: refused with cutoff %s, want %s", name, revoked.Cutoff, cutoff)
	}
}

// failed asserts the error of a registration.
func (w *world) failed(name string, r store.PutResult, want error) {
	w.Helper()
	if !errors.Is(r.Err, want) {
		w.Errorf("registering %s: got error %v, want %v", name, r.Err, want)
	}
}

func appendNew(list []string, item string) []string {
	for _, have := range list {
		if have == item {
			return list
		}
	}
	return append(list, item)
}
