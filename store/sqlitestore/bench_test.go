package sqlitestore

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
)

const (
	benchUsers = 50_000 // so that a random user's page is not in the cache
	benchBatch = 500    // items of a registration
	benchRound = 512    // logouts that the revoker takes together
)

// benchUser is one of many: two sessions, each with a refresh token.
func benchUser(i int) store.User { return store.User{ID: fmt.Sprintf("user-%07d", i)} }

func benchSession(user, n int) store.Session {
	return store.Session{
		ID: store.TokenID(fmt.Sprint(user, "-", n)), User: benchUser(user), DeviceID: "phone",
		AuthenticatedAt: time.Now().Add(-time.Minute), ExpiresAt: time.Now().Add(time.Hour),
	}
}

func benchToken(user, n int) store.RefreshToken {
	return store.RefreshToken{
		ID: store.TokenID(fmt.Sprint("token", user, "-", n)), User: benchUser(user),
		SessionID: benchSession(user, n).ID, ExpiresAt: time.Now().Add(24 * time.Hour),
	}
}

// benchRegister registers n items in batches.
func benchRegister[T any](b *testing.B, n int, item func(i int) T, put func([]T) ([]store.PutResult, error)) {
	b.Helper()
	for from := 0; from < n; from += benchBatch {
		batch := make([]T, min(benchBatch, n-from))
		for i := range batch {
			batch[i] = item(from + i)
		}
		results, err := put(batch)
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

func (s *Store) benchSessions(b *testing.B, users, perUser int) {
	b.Helper()
	benchRegister(b, users*perUser, func(i int) store.Session { return benchSession(i/perUser, i%perUser) },
		func(batch []store.Session) ([]store.PutResult, error) { return s.PutSessions(b.Context(), batch) })
}

func (s *Store) benchTokens(b *testing.B, users, perUser int) {
	b.Helper()
	benchRegister(b, users*perUser, func(i int) store.RefreshToken { return benchToken(i/perUser, i%perUser) },
		func(batch []store.RefreshToken) ([]store.PutResult, error) {
			return s.PutRefreshTokens(b.Context(), batch)
		})
}

// BenchmarkPutSessions registers a session an operation.
func BenchmarkPutSessions(b *testing.B) {
	s := open(b, Config{SweepInterval: time.Hour})
	b.ResetTimer()
	s.benchSessions(b, (b.N+1)/2, 2)
}

// BenchmarkPutRefreshTokens registers a token bound to a session an operation.
func BenchmarkPutRefreshTokens(b *testing.B) {
	s := open(b, Config{SweepInterval: time.Hour})
	s.benchSessions(b, (b.N+1)/2, 2)
	b.ResetTimer()
	s.benchTokens(b, (b.N+1)/2, 2)
}

// BenchmarkFence fences a live session an operation, from 256 callers at once.
func BenchmarkFence(b *testing.B) { benchFence(b, Config{SweepInterval: time.Hour}) }

// BenchmarkFenceLookUp is BenchmarkFence for sessions that are not remembered.
func BenchmarkFenceLookUp(b *testing.B) {
	benchFence(b, Config{SweepInterval: time.Hour, forgetful: true})
}

func benchFence(b *testing.B, c Config) {
	s := open(b, c)
	s.benchSessions(b, b.N, 1)
	fences := make([]store.Fence, b.N)
	for i := range fences {
		id := benchSession(i, 0).ID
		fences[i] = store.Fence{RequestID: "request of " + id, SessionID: id}
	}
	var next atomic.Int64
	b.SetParallelism(128)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := next.Add(1)
			if _, err := s.Fence(b.Context(), fences[i-1:i]); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkFenceBatch fences as after a restart: 500 sessions a call.
func BenchmarkFenceBatch(b *testing.B) {
	s := open(b, Config{SweepInterval: time.Hour})
	s.benchSessions(b, b.N, 1)
	fences := make([]store.Fence, b.N)
	for i := range fences {
		id := benchSession(i, 0).ID
		fences[i] = store.Fence{RequestID: "request of " + id, SessionID: id, At: time.Now()}
	}
	b.ResetTimer()
	for from := 0; from < b.N; from += benchBatch {
		if _, err := s.Fence(b.Context(), fences[from:min(from+benchBatch, b.N)]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRevoke revokes and finishes an SAP logout an operation: v1 of the
// only session of a user, v2 of a user with two sessions and two refresh
// tokens. The users come in the order of their keys, or in none.
func BenchmarkRevoke(b *testing.B) {
	for _, order := range []string{"in-order", "random"} {
		b.Run("v1/"+order, func(b *testing.B) { benchRevoke(b, store.ScopeSession, order) })
		b.Run("v2/"+order, func(b *testing.B) { benchRevoke(b, store.ScopeUser, order) })
	}
}

func benchRevoke(b *testing.B, scope store.Scope, order string) {
	s := open(b, Config{SweepInterval: time.Hour})
	users := max(b.N, benchUsers)
	if scope == store.ScopeUser {
		s.benchSessions(b, users, 2)
		s.benchTokens(b, users, 2)
	} else {
		s.benchSessions(b, users, 1)
	}
	revocations := make([]store.Revocation, b.N)
	for i, user := range benchOrder(order, users)[:b.N] {
		x := benchSession(user, 0)
		revocations[i] = store.Revocation{RequestID: "request of " + x.ID, Scope: scope, SessionID: x.ID,
			User: x.User, DeviceID: x.DeviceID, AuthenticatedAt: x.AuthenticatedAt}
	}
	fences := make([]store.Fence, benchRound)
	b.ResetTimer()
	for from := 0; from < b.N; from += benchRound {
		round := revocations[from:min(from+benchRound, b.N)]
		b.StopTimer()
		for i, r := range round {
			fences[i] = store.Fence{RequestID: r.RequestID, SessionID: r.SessionID}
		}
		fenced, err := s.Fence(b.Context(), fences[:len(round)])
		if err != nil {
			b.Fatal(err)
		}
		for i, f := range fenced {
			round[i].Cutoff = f.Cutoff
		}
		b.StartTimer()
		if _, err := s.Revoke(b.Context(), round); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Finish(b.Context(), round); err != nil {
			b.Fatal(err)
		}
	}
}

func benchOrder(order string, users int) []int {
	if order == "random" {
		return rand.New(rand.NewPCG(1, 2)).Perm(users)
	}
	list := make([]int, users)
	for i := range list {
		list[i] = i
	}
	return list
}

// BenchmarkRevokeLargeUser revokes and finishes a logout of a user with
// 100,000 sessions. Registering them takes seconds: run it with -benchtime 1x.
func BenchmarkRevokeLargeUser(b *testing.B) {
	s := open(b, Config{SweepInterval: time.Hour})
	for round := range b.N {
		b.StopTimer()
		user := store.User{ID: fmt.Sprint("large", round)}
		benchRegister(b, 100_000, func(i int) store.Session {
			x := benchSession(round, i)
			x.User = user
			return x
		}, func(batch []store.Session) ([]store.PutResult, error) { return s.PutSessions(b.Context(), batch) })
		r := []store.Revocation{{RequestID: user.ID, Scope: store.ScopeUser, User: user, Cutoff: time.Now()}}
		b.StartTimer()
		told, err := s.Revoke(b.Context(), r)
		if err != nil || told[0].Sessions != 100_000 {
			b.Fatal(err, told[0].Sessions)
		}
		if _, err := s.Finish(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}
