package workers_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// stepClocks moves the clocks of store and broker. A step while a request is
// pending would move its bound, which the rule names as its limit.
func (m *model) stepClocks() {
	m.clock.step(&m.clock.store, time.Duration(m.rand.IntN(4001)-2000)*time.Millisecond)
	m.clock.step(&m.clock.broker, time.Duration(m.rand.IntN(4001)-2000)*time.Millisecond)
}

// stepAgain moves the clocks once more, where nothing is pending. The clock of
// Redis goes ahead only: package store names what happens when it is set back.
func (m *model) stepAgain() {
	if len(m.late) > 0 || m.pending() > 0 {
		return
	}
	before := m.clock.Store()
	m.stepClocks()
	m.truth.mu.Lock()
	defer m.truth.mu.Unlock()
	if !m.steady && m.clock.Store().Before(before) {
		m.clock.step(&m.clock.store, before.Sub(m.clock.Now()))
	}
	m.truth.note("the store's clock is set from %s to %s", before.Format("05.000"), m.clock.Store().Format("05.000"))
}

func (m *model) act() {
	m.clock.advance([]time.Duration{0, 0, 1, 3, 10, 100, 2000, 8000}[m.rand.IntN(8)] * time.Millisecond)
	switch n := m.rand.IntN(20); {
	case n < 4:
		m.login()
	case n < 12:
		m.logout()
	case n < 13:
		m.logoutUnknown()
	case n < 17:
		m.work(m.workers[m.rand.IntN(2)])
	case n < 18:
		m.operator()
	case n < 19:
		m.purge()
		m.stepAgain()
	default:
		m.landLate()
	}
}

func (m *model) login() {
	t := m.truth
	name := fmt.Sprintf("s%d", len(t.logins)+1)
	l := &modelLogin{name: name, device: fmt.Sprint("d", m.rand.IntN(2))}
	l.id = store.TokenID(m.token(l))
	t.mu.Lock()
	l.login = t.now()
	t.logins, t.byID[l.id] = append(t.logins, l), l
	t.note("login of %s on %s", name, l.device)
	t.mu.Unlock()
	l.registered = m.clock.Store()
	ctx, expires := context.Background(), m.clock.Store().Add(time.Hour)
	results, err := m.store.PutSessions(ctx, []store.Session{{ID: l.id, User: m.user, DeviceID: l.device, ExpiresAt: expires}})
	m.must("login of "+name, err, results)
	results, err = m.store.PutRefreshTokens(ctx, []store.RefreshToken{{
		ID: m.refresh(l), User: m.user, SessionID: l.id, ExpiresAt: expires,
	}})
	m.must("refresh token of "+name, err, results)
	results, err = m.store.PutPushRegistrations(ctx, []store.PushRegistration{{
		User: m.user, DeviceID: l.device, Provider: "http", PushToken: "push of " + m.token(l), SessionID: l.id,
	}})
	m.must("push registration of "+name, err, results)
	m.clock.advance(2 * time.Millisecond) // by when the registrations are over
}

func (m *model) token(l *modelLogin) string   { return fmt.Sprintf("%s.of.%d.%p", l.name, m.seed, m) }
func (m *model) refresh(l *modelLogin) string { return store.TokenID("refresh " + m.token(l)) }

func (m *model) must(what string, err error, results []store.PutResult) {
	m.t.Helper()
	if err == nil && len(results) == 1 {
		err = results[0].Err
	}
	if err != nil {
		m.fail("%s: %v", what, err)
	}
}

func (m *model) fail(format string, args ...any) {
	m.t.Helper()
	m.truth.mu.Lock()
	defer m.truth.mu.Unlock()
	m.t.Fatalf("seed %d: %s; what happened:\n%s\nlog:\n%s", m.seed, fmt.Sprintf(format, args...),
		strings.Join(m.truth.history, "\n"), m.log)
}

// traces are how schedules begin, for the first session: s is a logout whose
// fence is skipped, f one that is fenced, of version 1 or 2 where a number
// follows; L a login, h a worker that pulls a message and holds it to the end of
// the trace, a another that applies what there is, p a purge of what is done.
var traces = []string{
	"", "s L f a", "s L s a", "s h L f a", "s L h f a", "s L f h a", "s1 L f2 h a", "s2 L f1 h a", "s L s h a",
	"s1 L f1 a p f2 a", "s1 L s1 a p f2 a", "s L f h a p s a", "s1 h L f2 a p f2 a", "L s L f h a p f a",
}

func (m *model) play(trace []string) {
	held := false
	for _, op := range trace {
		m.clock.advance(time.Duration(m.rand.IntN(3)*m.rand.IntN(100)) * time.Millisecond)
		scope := []string{"session", "user"}[m.rand.IntN(2)]
		if len(op) == 2 {
			scope = map[byte]string{'1': "session", '2': "user"}[op[1]]
		}
		switch op[0] {
		case 's':
			m.logoutOf(m.truth.logins[0], scope, skipped(1+m.rand.IntN(int(skippedWays)-1)), false)
		case 'f':
			m.logoutOf(m.truth.logins[0], scope, skippedNot, false)
		case 'L':
			m.login()
		case 'h':
			held = m.workers[0].pull(1, faultHolds, 1)
		case 'a':
			m.workers[1].pull(100, faultNone, 0)
		case 'p':
			m.purge()
		}
		m.check("newer")
	}
	if held {
		m.workers[0].resume(m.rand.IntN(3) == 0)
		m.replace()
		m.check("newer")
	}
}

// logout presents a session, mostly one of the older ones, live or dead.
func (m *model) logout() {
	t := m.truth
	l := t.logins[min(m.rand.IntN(len(t.logins)), m.rand.IntN(len(t.logins)))]
	how, silent := skipped(m.rand.IntN(int(skippedWays))), m.rand.IntN(10) == 0
	if m.rand.IntN(2) == 0 {
		how = skippedNot
	}
	m.logoutOf(l, []string{"session", "user"}[m.rand.IntN(2)], how, silent)
}

func (m *model) logoutOf(l *modelLogin, scope string, how skipped, silent bool) {
	t, o := m.truth, &modelLogout{scope: scope, login: l}
	t.mu.Lock()
	o.at, o.unfenced = t.now(), how != skippedNot
	t.note("logout of %s by %s, fence %d, acknowledgement lost %t", l.name, o.scope, how, silent)
	t.mu.Unlock()
	status := m.fronts[m.rand.IntN(len(m.fronts))].logout(o.scope, m.token(l), how, silent)
	t.mu.Lock()
	defer t.mu.Unlock()
	o.accepted = status == http.StatusNoContent
	o.reach = earliest(l.power, l.ended)
	t.logouts = append(t.logouts, o)
	if !o.accepted && !silent {
		m.t.Errorf("seed %d: logout answered %d", m.seed, status)
	}
}

// logoutUnknown logs a session out while the store is down, which hears of it
// only later, if ever.
func (m *model) logoutUnknown() {
	token := fmt.Sprintf("unknown %d of %d of %p", len(m.unknown), m.seed, m)
	token = strings.ReplaceAll(token, " ", ".")
	if m.fronts[0].logout("session", token, skippedNever, false) != http.StatusNoContent {
		m.fail("logout of an unknown session is not accepted")
	}
	id := store.TokenID(token)
	m.unknown = append(m.unknown, id)
	if m.rand.IntN(2) == 0 {
		m.registerEnded(id)
	}
}

// registerEnded registers a session that was logged out, and reports whether
// that was refused.
func (m *model) registerEnded(id string) (refused bool) {
	results, err := m.store.PutSessions(context.Background(), []store.Session{
		{ID: id, User: m.user, ExpiresAt: m.clock.Store().Add(time.Hour)},
	})
	if err != nil {
		m.fail("registering an ended session: %v", err)
	}
	return errors.Is(results[0].Err, store.ErrRevoked)
}

// operator revokes everything of the user, as the admin API does.
func (m *model) operator() {
	t, id := m.truth, messages.NewID()
	t.mu.Lock()
	now := t.now()
	t.logouts = append(t.logouts, &modelLogout{scope: id, at: now, reach: &now, accepted: true})
	t.note("operator revokes")
	t.mu.Unlock()
	ctx := context.Background()
	fenced, err := m.store.Fence(ctx, []store.Fence{{RequestID: id, User: m.user}})
	if err != nil || fenced[0].Err != nil {
		m.fail("operator's fence: %v %v", err, fenced)
	}
	publisher := broker.NewPublisher(m.connection(), nil)
	defer publisher.Close()
	err = publisher.Requests(ctx, messages.Request{
		ID: id, Dialect: "admin", Initiator: messages.InitiatorAdmin, Scope: "user", UserID: m.user.ID, TenantID: m.user.TenantID,
		Cutoff: events.At(fenced[0].Cutoff), Fenced: true, RequestedAt: events.At(m.clock.Now()),
	})
	if err != nil {
		m.fail("operator's request: %v", err)
	}
}

// work lets a worker pull, perhaps with a fault, perhaps with other things
// happening in the middle.
func (m *model) work(w *modelWorker) {
	fault, at := modelFault(m.rand.IntN(int(faultHolds)+1)), 1+m.rand.IntN(4)
	if m.rand.IntN(3) == 0 {
		fault = faultNone
	}
	m.truth.mu.Lock()
	m.truth.note("worker %s pulls, fault %d at call %d", w.name, fault, at)
	m.truth.mu.Unlock()
	holds := w.pull(1+m.rand.IntN(3), fault, at)
	if holds {
		other := m.workers[0]
		if other == w {
			other = m.workers[1]
		}
		for range 1 + m.rand.IntN(3) {
			m.clock.advance(time.Duration(m.rand.IntN(20)) * time.Millisecond)
			switch m.rand.IntN(4) {
			case 0:
				m.login()
			case 1:
				m.logout()
			default:
				other.pull(1+m.rand.IntN(3), faultNone, 0)
			}
		}
		w.resume(m.rand.IntN(3) == 0)
	}
	m.replace()
}

// replace starts a worker for each that has died or was stopped.
func (m *model) replace() {
	for i, w := range m.workers {
		if w.over.Err() != nil {
			w.bury()
			m.workers[i] = m.startWorker(w.name)
		}
	}
}

// purge removes what is done from the stream, as [workers.Backlog] does.
func (m *model) purge() {
	ctx := context.Background()
	stream, err := m.broker.JetStream.Stream(ctx, messages.StreamRequests)
	if err != nil {
		m.fail("purge: %v", err)
	}
	consumer, err := stream.Consumer(ctx, messages.ConsumerRevoker)
	if err != nil {
		m.fail("purge: %v", err)
	}
	if floor := consumer.CachedInfo().AckFloor.Stream; floor > 0 {
		if err := stream.Purge(ctx, jetstream.WithPurgeSequence(floor+1)); err != nil {
			m.fail("purge: %v", err)
		}
		m.broker.refuseReturned()
	}
}

// landLate makes one of the late fences.
func (m *model) landLate() {
	if len(m.late) > 0 {
		i := m.rand.IntN(len(m.late))
		m.late[i]()
		m.late = slices.Delete(m.late, i, i+1)
	}
}

// drain works until nothing is pending, dead letters included.
func (m *model) drain() {
	for len(m.late) > 0 {
		m.landLate()
	}
	m.retry.GiveUpAfter = 24 * time.Hour
	letters := deadletters.NewDeadLetters(m.connection())
	for deadline := time.Now().Add(time.Minute); ; { // some redeliveries take AckWait
		for _, w := range m.workers {
			if m.pending() > 0 {
				w.pull(100, faultNone, 0)
			}
		}
		m.purge()
		failed, err := letters.List(context.Background(), 0, 100)
		if err != nil {
			m.fail("dead letters: %v", err)
		}
		for _, letter := range failed {
			m.clock.advance(time.Second)
			if err := letters.ReplayAt(context.Background(), letter.Seq, messages.Replayed{}); err != nil {
				m.fail("replay: %v", err)
			}
		}
		if len(failed) == 0 && m.pending() == 0 {
			return
		}
		if time.Now().After(deadline) {
			m.fail("%d requests are pending", m.pending())
		}
	}
}

// pending is how many messages the revokers have not acknowledged. The broker's
// own count of what is pending may lag behind the stream.
func (m *model) pending() uint64 {
	ctx := context.Background()
	stream, err := m.broker.JetStream.Stream(ctx, messages.StreamRequests)
	if err != nil {
		m.fail("pending: %v", err)
	}
	consumer, err := stream.Consumer(ctx, messages.ConsumerRevoker)
	if err != nil {
		m.fail("pending: %v", err)
	}
	return stream.CachedInfo().State.LastSeq - consumer.CachedInfo().AckFloor.Stream
}
