package workers_test

import (
	"crypto/rand"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/redisstore"
	"github.com/logoutd/logoutd/store/redisstore/redistest"
	"github.com/logoutd/logoutd/store/sqlitestore"
)

// play is a user whose session s1 is logged out, and who logs in again.
type play struct {
	*world
	user          store.User
	old           string // s1
	first, second string // scopes of its two logouts
	newer         string // n1
	js            *oddJetStream
	giveBack      func() error // what a worker held that has died; nil: nothing
	forget        func()       // the store forgets s1
	forgetEnd     func()       // it forgets when s1 ended, as far as that lies beside the record
}

func newPlay(t *testing.T) *play {
	p := &play{world: newWorld(t), user: store.User{ID: rand.Text()}}
	p.js = &oddJetStream{JetStream: p.broker.JS}
	p.broker.JS = p.js
	return p
}

func (p *play) put(session string) string { return p.putUntil(session, time.Now().Add(time.Hour)) }

// putUntil registers a session that expires then, with a refresh token and a
// push registration.
func (p *play) putUntil(session string, expires time.Time) string {
	p.Helper()
	id := store.TokenID(p.user.ID + session)
	results, err := p.store.PutSessions(p.Context(), []store.Session{{ID: id, User: p.user, DeviceID: "phone", AppID: "mail", ExpiresAt: expires}})
	p.must(err, results[0].Err)
	tokens, err := p.store.PutRefreshTokens(p.Context(), []store.RefreshToken{{ID: store.TokenID("refresh" + id), User: p.user, SessionID: id, ExpiresAt: expires}})
	p.must(err, tokens[0].Err)
	pushes, err := p.store.PutPushRegistrations(p.Context(), []store.PushRegistration{{
		User: p.user, DeviceID: "phone", AppID: "mail", Provider: "http", PushToken: "push of " + id, SessionID: id,
	}})
	p.must(err, pushes[0].Err)
	return id
}

// skipped is a logout of s1 whose fence was skipped, from a front end whose clock
// is off.
func (p *play) skipped(scope string) messages.Request {
	return messages.Request{
		ID: messages.RequestID(scope, p.old), Dialect: "test", Initiator: messages.InitiatorUser, Scope: scope,
		SessionID: p.old, RequestedAt: events.At(time.Now().Add(5 * time.Minute)),
	}
}

func (p *play) skip(scope string) {
	p.Helper()
	p.must(p.publisher.Requests(p.Context(), p.skipped(scope)))
}

func (p *play) login() { p.newer = p.putUntil("newer", time.Now().Add(1000*time.Hour)) }

func (p *play) fenced(scope string) {
	p.must(p.publisher.Requests(p.Context(), p.logout(scope, p.old)))
}

func (p *play) settle() (stop func()) {
	p.Helper()
	before := p.metric("logoutd_revocations_total", nil)
	stop = p.run(p.revoker(httpTarget(p)).Run)
	p.eventually("a revocation", func() bool { return p.metric("logoutd_revocations_total", nil) > before })
	if p.giveBack != nil {
		p.must(p.giveBack())
	}
	p.settled()
	return stop
}

func (p *play) settled() {
	p.Helper()
	p.eventually("all settled", func() bool { return p.pending() == 0 })
}

// wantNewer asserts that s1 is dead and that all of n1 lives.
func (p *play) wantNewer() {
	p.Helper()
	sessions, err := p.store.Sessions(p.Context(), []string{p.old, p.newer})
	p.must(err)
	if sessions[0].Active || !sessions[1].Active {
		p.Errorf("active: s1 %t, n1 %t; want n1 only", sessions[0].Active, sessions[1].Active)
	}
	tokens, err := p.store.RefreshTokens(p.Context(), []string{store.TokenID("refresh" + p.newer)})
	p.must(err)
	if !tokens[0].Active {
		p.Error("the newer login's refresh token is dead")
	}
	id := store.PushRegistrationID(store.PushRegistration{User: p.user, DeviceID: "phone", AppID: "mail", Provider: "http"})
	there, err := p.store.Reregistered(p.Context(), []store.PushCheck{{User: p.user, PushRegistrationID: id, Cutoff: time.UnixMilli(1)}})
	p.must(err)
	if !there[0] {
		p.Error("the newer login's push registration is gone")
	}
	for _, msg := range p.broker.Messages(messages.StreamTasks) {
		task, err := messages.DecodeDelivery(msg.Data)
		p.must(err)
		if pushTokenOf(task) == "push of "+p.newer {
			p.Error("the provider is told to delete the newer login's registration")
		}
	}
}

func TestNewerLoginLives(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	stores := map[string]func(*play){"SQLite": (*play).inSQLite, "Redis": func(p *play) { p.inRedis(redis) }}
	for where, open := range stores {
		for _, scopes := range [][2]string{{"session", "session"}, {"session", "user"}, {"user", "session"}, {"user", "user"}} {
			for name, run := range plays {
				t.Run(name+"/"+scopes[0]+" then "+scopes[1]+" in "+where, func(t *testing.T) {
					t.Parallel()
					p := newPlay(t)
					p.first, p.second = scopes[0], scopes[1]
					open(p)
					p.old = p.put("old")
					run(p)
					p.wantNewer()
				})
			}
		}
	}
}

// inSQLite gives the world a store whose clock goes ahead until s1 is forgotten.
func (p *play) inSQLite() {
	var ahead atomic.Int64
	s, err := sqlitestore.Open(filepath.Join(p.TempDir(), "store.db"), sqlitestore.Config{
		Clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
	})
	p.must(err)
	p.Cleanup(func() { _ = s.Close() })
	p.store.Store = s
	p.forget = func() { ahead.Store(int64(2*time.Hour + store.DefaultRetention)) }
	p.forgetEnd = func() {}
}

func (p *play) inRedis(server *redistest.Server) {
	s, err := redisstore.Open(server.URL(), redisstore.Config{})
	p.must(err)
	p.Cleanup(func() { _ = s.Close() })
	p.store.Store = s
	p.forgetEnd = func() {
		keys, err := server.Client().Keys(p.Context(), "logoutd:user:*:ended:"+p.old).Result()
		p.must(err)
		for _, key := range keys { // none where it was the user's
			p.must(server.Client().Del(p.Context(), key).Err())
		}
	}
	p.forget = func() {
		p.forgetEnd()
		p.must(server.Client().Del(p.Context(), "logoutd:session:{"+p.old+"}").Err())
	}
}

// A session that was never logged out ends all before its logout, and a
// skipped fence what was authenticated before the request.
func TestLogoutOfALiveSessionEndsWhatWasBefore(t *testing.T) {
	t.Parallel()
	skipped := func(off time.Duration) func(*play) {
		return func(p *play) {
			p.js.off = off
			p.skip("user")
		}
	}
	for name, logout := range map[string]func(*play){
		"fenced":                                func(p *play) { p.fenced("user") },
		"skipped":                               func(p *play) { p.skip("user") },
		"skipped, the broker's clock is ahead":  skipped(2 * time.Second),
		"skipped, the broker's clock is behind": skipped(-2 * time.Second),
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlay(t)
			p.old = p.put("old")
			p.login()
			passed := time.Now().Add(20 * time.Millisecond) // more than the margin
			p.eventually("the margin has passed", func() bool { return time.Now().After(passed) })
			logout(p)
			p.settle()
			states, err := p.store.Sessions(t.Context(), []string{p.old, p.newer})
			p.must(err)
			if slices.ContainsFunc(states, func(s store.SessionState) bool { return s.Active }) {
				t.Error("something of before the logout lives")
			}
		})
	}
}
