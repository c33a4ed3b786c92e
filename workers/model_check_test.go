package workers_test

import (
	"context"
	"time"

	"github.com/logoutd/logoutd/store"
)

// check compares the store with the truth: at any time, no newer login has
// ended; at the end, what has to be ended is.
func (m *model) check(when string) {
	m.t.Helper()
	ctx, t := context.Background(), m.truth
	for _, l := range t.logins {
		sessions, err := m.store.Sessions(ctx, []string{l.id})
		if err != nil {
			m.fail("check: %v", err)
		}
		tokens, err := m.store.RefreshTokens(ctx, []string{m.refresh(l)})
		if err != nil {
			m.fail("check: %v", err)
		}
		session, token := sessions[0].Active, tokens[0].Active
		if !t.mayEnd(l) && (!session || !token) {
			m.fail("newer login %s has ended (session %t, refresh token %t): %+v", l.name, session, token, sessions[0])
		}
		m.checkPush(l)
		if when == "end" && t.mustEnd(l) && (session || token) {
			m.fail("%s lives on (session %t, refresh token %t): %+v", l.name, session, token, sessions[0])
		}
	}
}

// checkUnknown fails where a session that was logged out before the store knew
// it can be registered.
func (m *model) checkUnknown() {
	m.t.Helper()
	for _, id := range m.unknown {
		sessions, err := m.store.Sessions(context.Background(), []string{id})
		if err != nil {
			m.fail("check: %v", err)
		}
		if sessions[0].Active || !m.registerEnded(id) {
			m.fail("a session that was logged out before it was registered lives")
		}
	}
}

// checkPush fails where the push registration of a login that has lost nothing
// is gone, or is to be deleted at its provider.
func (m *model) checkPush(l *modelLogin) {
	m.t.Helper()
	if m.truth.mayLosePush(l) {
		return
	}
	token := "push of " + m.token(l)
	for _, task := range m.tasks {
		if pushTokenOf(task) == token {
			m.fail("the push token of newer login %s is to be deleted", l.name)
		}
	}
	for _, other := range m.truth.logins {
		if other.device == l.device && l.login.before(other.login) {
			return // it was replaced
		}
	}
	registration := store.PushRegistration{User: m.user, DeviceID: l.device, Provider: "http"}
	there, err := m.store.Reregistered(context.Background(), []store.PushCheck{{
		User: m.user, PushRegistrationID: store.PushRegistrationID(registration), Cutoff: l.registered.Add(-time.Millisecond),
	}})
	if err != nil {
		m.fail("check: %v", err)
	}
	if !there[0] {
		m.fail("the push registration of newer login %s is gone", l.name)
	}
}
