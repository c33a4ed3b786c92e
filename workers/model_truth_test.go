package workers_test

import (
	"fmt"
	"sync"
	"time"

	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// moment is a point in the order of what happens in a schedule.
type moment struct {
	seq int
	at  time.Time // true time
}

func (a moment) before(b moment) bool { return a.seq < b.seq }

func earliest(a, b *moment) *moment {
	if a == nil || b != nil && b.before(*a) {
		return b
	}
	return a
}

// modelLogin is a session with a refresh token and a push registration.
type modelLogin struct {
	name, id, device string
	login            moment
	registered       time.Time // by the store's clock
	// power is when the session was first fenced, or first stood in a message
	// that was appended: from then on it has no power over newer logins.
	power *moment
	// ended is when a revocation that was applied has ended the session.
	ended *moment
	// doomed is when it will have ended, once everything accepted is applied.
	doomed *moment
}

// modelLogout is a logout that was sent, or a revocation by an operator.
type modelLogout struct {
	scope    string
	login    *modelLogin // nil: an operator named the user
	at       moment
	reach    *moment // what it can end at most was logged in before this
	accepted bool    // answered with 204
	unfenced bool
}

// truth is what the outcome has to be, kept apart from everything that runs.
type truth struct {
	clock   *modelClock
	mu      sync.Mutex
	seq     int
	logins  []*modelLogin
	logouts []*modelLogout
	byID    map[string]*modelLogin
	history []string
}

func newTruth(clock *modelClock) *truth {
	return &truth{clock: clock, byID: map[string]*modelLogin{}}
}

func (t *truth) now() moment {
	t.seq++
	return moment{t.seq, t.clock.Now()}
}

func (t *truth) note(format string, args ...any) {
	t.history = append(t.history, fmt.Sprintf("%3d %s ", t.seq, t.clock.Now().Format("05.000"))+fmt.Sprintf(format, args...))
}

// fenced notes that a fence of a front end took effect.
func (t *truth) fenced(sessionID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.byID[sessionID]; l != nil {
		now := t.now()
		l.power = earliest(l.power, &now)
		t.note("%s is fenced", l.name)
	}
}

// appended notes that requests are on the stream.
func (t *truth) appended(requests []messages.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range requests {
		if l := t.byID[r.SessionID]; l != nil {
			now := t.now()
			l.power = earliest(l.power, &now)
			t.note("%s is appended, fenced %t", r.ID, r.Fenced)
		}
	}
}

// applied notes that revocations took effect.
func (t *truth) applied(revocations []store.Revocation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range revocations {
		t.now()
		t.note("%s is applied, cutoff %s", r.RequestID, r.Cutoff.Format("05.000"))
		if r.Scope != store.ScopeUser {
			continue
		}
		reach := t.reachOf(r.RequestID, r.SessionID)
		for _, l := range t.logins {
			if reach != nil && t.surely(l, *reach) {
				l.ended = earliest(l.ended, reach)
			}
		}
	}
}

// reachOf returns the reach of a request: that of its session, or of the
// operator's revocation.
func (t *truth) reachOf(requestID, sessionID string) *moment {
	if l := t.byID[sessionID]; l != nil {
		return earliest(l.power, l.ended)
	}
	for _, o := range t.logouts {
		if o.login == nil && o.scope == requestID {
			return o.reach
		}
	}
	return nil
}

// settle works out when each login will have ended.
func (t *truth) settle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.logins {
		l.doomed = earliest(l.power, l.ended)
	}
	for again := true; again; {
		again = false
		for _, o := range t.logouts {
			reach := o.reach
			if o.login != nil {
				reach = o.login.doomed
			}
			if !o.accepted || o.login != nil && o.scope != "user" || reach == nil {
				continue
			}
			for _, l := range t.logins {
				if l.login.before(*reach) && (l.doomed == nil || reach.before(*l.doomed)) {
					l.doomed, again = reach, true
				}
			}
		}
	}
}

// mayEnd reports whether anything may have ended a login.
func (t *truth) mayEnd(l *modelLogin) bool {
	for _, o := range t.logouts {
		switch {
		case o.login == l:
			return true
		case o.login == nil && l.login.before(*o.reach):
			return true
		case o.login != nil && o.scope == "user" && o.reach != nil && l.login.before(*o.reach):
			return true
		}
	}
	return false
}

// mustEnd reports whether something has to have ended a login. What is
// unfenced is bounded early, by the margin.
func (t *truth) mustEnd(l *modelLogin) bool {
	for _, o := range t.logouts {
		if !o.accepted {
			continue
		}
		switch {
		case o.login == l:
			return true
		case o.login == nil && l.login.before(*o.reach):
			return true
		case o.login != nil && o.scope == "user" && o.login.doomed != nil && t.endsFor(o, l):
			return true
		}
	}
	return false
}

func (t *truth) endsFor(o *modelLogout, l *modelLogin) bool { return t.surely(l, *o.login.doomed) }

// surely reports whether what reaches to a moment ends a login: one within the
// margin before it may live.
func (t *truth) surely(l *modelLogin, reach moment) bool {
	age := t.clock.Now().Sub(reach.at)
	margin := 3*time.Millisecond + min(age/1000, 4*time.Second)
	return l.login.before(reach) && l.login.at.Before(reach.at.Add(-margin))
}

// mayLosePush reports whether anything may have deleted the push registration
// of a login.
func (t *truth) mayLosePush(l *modelLogin) bool {
	if t.mayEnd(l) {
		return true
	}
	for _, o := range t.logouts {
		if o.login != nil && o.scope == "session" && o.login.device == l.device && o.reach != nil && l.login.before(*o.reach) {
			return true
		}
	}
	return false
}
