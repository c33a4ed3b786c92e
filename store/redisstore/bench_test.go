package redisstore_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/redisstore"
	"github.com/logoutd/logoutd/store/redisstore/redistest"
)

const (
	// callers is how many front end handlers fence at a time, round how many
	// requests the revoker works on together.
	callers = 256
	round   = 512
)

// BenchmarkFence fences live sessions, each in a call of its own, as the front
// end's handlers do.
func BenchmarkFence(b *testing.B) {
	server := redistest.Start(b)
	s := open(b, server.URL(), redisstore.Config{})
	sessions := register(b, s, b.N, 1, 0)
	meter := newMeter(b, server.Client())
	b.SetParallelism(callers / 2)
	var next atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			session := sessions[next.Add(1)-1]
			ctx, cancel := context.WithTimeout(b.Context(), time.Second)
			fenced, err := s.Fence(ctx, []store.Fence{{RequestID: "session." + session.ID, SessionID: session.ID}})
			if err != nil || fenced[0].Outcome != store.FenceFenced {
				b.Error(err, fenced)
			}
			cancel()
		}
	})
	meter.report(b)
}

// BenchmarkRevoke does logouts that were fenced, Revoke and Finish, in rounds:
// v1 of a session with a device, v2 of a user with two sessions and two refresh
// tokens, and v2 of a user with very many sessions.
func BenchmarkRevoke(b *testing.B) {
	for _, shape := range []struct {
		name             string
		scope            store.Scope
		sessions, tokens int
	}{
		{"v1", store.ScopeSession, 1, 0},
		{"v2", store.ScopeUser, 2, 2},
		{"giant", store.ScopeUser, 100_000, 0},
	} {
		b.Run(shape.name, func(b *testing.B) {
			server := redistest.Start(b)
			s := open(b, server.URL(), redisstore.Config{})
			requests := fenceFirst(b, s, register(b, s, b.N, shape.sessions, shape.tokens), shape.sessions, shape.scope)
			meter := newMeter(b, server.Client())
			for requests := range slices.Chunk(requests, round) {
				revoke(b, s, requests)
			}
			meter.report(b)
		})
	}
}

func revoke(b *testing.B, s store.Store, requests []store.Revocation) {
	b.Helper()
	revoked, err := s.Revoke(b.Context(), requests)
	if err != nil || revoked[0].Err != nil || revoked[0].Sessions == 0 {
		b.Fatal(err, revoked[0])
	}
	if _, err := s.Finish(b.Context(), requests); err != nil {
		b.Fatal(err)
	}
}

// register registers users with so many sessions and refresh tokens each, and
// returns the sessions.
func register(b *testing.B, s store.Store, users, sessions, tokens int) []store.Session {
	b.Helper()
	seed := time.Now().String()
	var all []store.Session
	var refresh []store.RefreshToken
	for u := range users {
		user := store.User{ID: fmt.Sprint(seed, u)}
		for i := range sessions {
			all = append(all, store.Session{
				ID: store.TokenID(fmt.Sprint(user.ID, " session ", i)), User: user, DeviceID: "phone",
				AuthenticatedAt: time.Now().Add(-time.Hour), ExpiresAt: time.Now().Add(time.Hour),
			})
		}
		for i := range tokens {
			refresh = append(refresh, store.RefreshToken{
				ID: store.TokenID(fmt.Sprint(user.ID, " token ", i)), User: user,
				SessionID: all[u*sessions+i%sessions].ID, ExpiresAt: time.Now().Add(time.Hour),
			})
		}
	}
	accepted(b)(s.PutSessions(b.Context(), all))
	accepted(b)(s.PutRefreshTokens(b.Context(), refresh))
	return all
}

func accepted(b *testing.B) func([]store.PutResult, error) {
	return func(results []store.PutResult, err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range results {
			if r.Err != nil {
				b.Fatal(r.Err)
			}
		}
	}
}

// fenceFirst fences the first session of each user and returns the requests
// that follow.
func fenceFirst(b *testing.B, s store.Store, sessions []store.Session, perUser int, scope store.Scope) []store.Revocation {
	b.Helper()
	var fences []store.Fence
	for i := 0; i < len(sessions); i += perUser {
		fences = append(fences, store.Fence{RequestID: string(scope) + "." + sessions[i].ID, SessionID: sessions[i].ID})
	}
	fenced, err := s.Fence(b.Context(), fences)
	if err != nil {
		b.Fatal(err)
	}
	requests := make([]store.Revocation, len(fences))
	for i, f := range fenced {
		requests[i] = store.Revocation{
			RequestID: fences[i].RequestID, Scope: scope, SessionID: f.Session.ID, User: f.Session.User,
			DeviceID: f.Session.DeviceID, AuthenticatedAt: f.Session.AuthenticatedAt, Cutoff: f.Cutoff,
		}
	}
	return requests
}
