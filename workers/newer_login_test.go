package workers_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/redisstore"
	"github.com/logoutd/logoutd/store/redisstore/redistest"
)

// play is a user whose session s1 is logged out, and who logs in again.
type play struct {
	*world
	user          store.User
	old           string // s1
	first, second string // scopes of its two logouts
	newer         string // n1
}

func (p *play) put(session string) string {
	p.Helper()
	id, expires := store.TokenID(p.user.ID+session), time.Now().Add(time.Hour)
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

// skip publishes a logout of s1 whose fence was skipped, from a front end whose
// clock is off.
func (p *play) skip(scope string) {
	p.Helper()
	p.must(p.publisher.Requests(p.Context(), messages.Request{
		ID: messages.RequestID(scope, p.old), Dialect: "test", Initiator: messages.InitiatorUser, Scope: scope,
		SessionID: p.old, RequestedAt: events.At(time.Now().Add(5 * time.Minute)),
	}))
}

func (p *play) login() { p.newer = p.put("newer") }

func (p *play) fenced(scope string) {
	p.must(p.publisher.Requests(p.Context(), p.logout(scope, p.old)))
}

func (p *play) settle() (stop func()) {
	p.Helper()
	before := p.metric("logoutd_revocations_total", nil)
	stop = p.run(p.revoker(httpTarget(p)).Run)
	p.eventually("all settled", func() bool {
		return p.metric("logoutd_revocations_total", nil) > before && p.pending() == 0
	})
	return stop
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

// plays are what may happen between a logout whose fence was skipped and
// another one of the same session.
var plays = map[string]func(*play){
	"fenced later": func(p *play) {
		p.skip(p.first)
		p.login()
		p.fenced(p.second)
		p.settle()
	},
	"skipped again": func(p *play) {
		p.skip(p.first)
		p.login()
		p.skip(p.second)
		p.settle()
	},
	"the worker that holds the first dies": func(p *play) {
		p.skip(p.first)
		consumer, err := p.broker.JS.CreateConsumer(p.Context(), messages.StreamRequests, jetstream.ConsumerConfig{
			Durable: messages.ConsumerRevoker, AckPolicy: jetstream.AckExplicitPolicy, AckWait: time.Second,
			FilterSubjects: []string{messages.SubjectRequests, messages.SubjectUnfenced},
		})
		p.must(err)
		_, err = consumer.Next()
		p.must(err)
		p.login()
		p.fenced(p.second)
		p.settle()
	},
	"handed back behind the second": func(p *play) {
		p.skip(p.first)
		p.login()
		p.fenced(p.second)
		p.store.set(true) // the store is down for revocations
		stop := p.run(p.revoker(httpTarget(p)).Run)
		p.eventually("an attempt", func() bool { return p.store.revokes() > 0 })
		stop()
		p.store.set(false)
		p.settle()
	},
	"applied and purged before the second": func(p *play) {
		p.skip(p.first)
		p.login()
		second := p.logout(p.second, p.old)
		p.settle()()
		stream, err := p.broker.JS.Stream(p.Context(), messages.StreamRequests)
		p.must(err)
		p.must(stream.Purge(p.Context()))
		p.must(p.publisher.Requests(p.Context(), second))
		p.settle()
	},
	"given up, then both replayed": func(p *play) {
		p.retry.GiveUpAfter = time.Millisecond
		p.skip(p.first)
		p.login()
		second := p.logout(p.second, p.old)
		p.store.refuse(messages.RequestID(p.first, p.old), errors.New("malformed record"))
		stop := p.run(p.revoker(httpTarget(p)).Run)
		p.eventually("dead letter", func() bool { return len(p.letters()) == 1 && p.pending() == 0 })
		letter := p.letters()[0]
		if !letter.Request.Fenced || letter.Request.UserID != p.user.ID || letter.Request.Cutoff.IsZero() {
			p.Errorf("letter of %+v, want one that is fenced", letter.Request)
		}
		stop()
		p.store.refuse("", nil)
		p.must(p.publisher.Requests(p.Context(), second))
		p.settle()()
		p.must(deadletters.NewDeadLetters(p.broker.JS).Replay(p.Context(), letter.ID))
		p.settle()
	},
}

func TestNewerLoginLives(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	for _, inRedis := range []bool{false, true} {
		for _, scopes := range [][2]string{{"session", "session"}, {"session", "user"}, {"user", "session"}, {"user", "user"}} {
			for name, run := range plays {
				t.Run(name+"/"+scopes[0]+" then "+scopes[1]+map[bool]string{true: " in Redis"}[inRedis], func(t *testing.T) {
					w := newWorld(t)
					if inRedis {
						s, err := redisstore.Open(redis.URL(), redisstore.Config{})
						w.must(err)
						t.Cleanup(func() { s.Close() })
						w.store.Store = s
					}
					p := &play{world: w, user: store.User{ID: rand.Text()}, first: scopes[0], second: scopes[1]}
					p.old = p.put("old")
					run(p)
					p.wantNewer()
				})
			}
		}
	}
}

// A session that was never logged out ends all before its logout, and a
// skipped fence what was authenticated before the request.
func TestLogoutOfALiveSessionEndsWhatWasBefore(t *testing.T) {
	t.Parallel()
	for name, logout := range map[string]func(*play){
		"fenced":  func(p *play) { p.fenced("user") },
		"skipped": func(p *play) { p.skip("user") },
	} {
		t.Run(name, func(t *testing.T) {
			p := &play{world: newWorld(t), user: store.User{ID: rand.Text()}}
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

func TestUnknownSessionLeavesATombstone(t *testing.T) {
	t.Parallel()
	p := &play{world: newWorld(t), user: store.User{ID: rand.Text()}}
	p.old = store.TokenID("later")
	p.skip("session")
	p.settle()
	results, err := p.store.PutSessions(t.Context(), []store.Session{{ID: p.old, User: p.user, ExpiresAt: time.Now().Add(time.Hour)}})
	p.must(err)
	if !errors.Is(results[0].Err, store.ErrRevoked) {
		t.Errorf("registered with %v, want it refused", results[0].Err)
	}
	if n := p.metric("logoutd_tombstones_total", map[string]string{"outcome": "written"}); n != 1 {
		t.Errorf("%v tombstones counted, want 1", n)
	}
}
