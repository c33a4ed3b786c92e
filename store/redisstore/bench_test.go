package redisstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/redisstore"
	"github.com/logoutd/logoutd/store/redisstore/redistest"
)

// register registers n sessions of each user.
func register(b *testing.B, s store.Store, round, users, n int) []store.Session {
	b.Helper()
	var all []store.Session
	for u := range users {
		for i := range n {
			all = append(all, store.Session{
				ID: store.TokenID(fmt.Sprint("session ", round, " ", u, " ", i)), User: store.User{ID: fmt.Sprint("user ", round, " ", u)}, DeviceID: "phone",
				AuthenticatedAt: time.Now().Add(-time.Hour), ExpiresAt: time.Now().Add(time.Hour),
			})
		}
	}
	results, err := s.PutSessions(b.Context(), all)
	if err != nil || results[0].Err != nil {
		b.Fatal(err, results[0])
	}
	return all
}

// One fence a round trip, and as many as a front end groups under load.
func BenchmarkFence(b *testing.B) {
	s := open(b, redistest.Start(b).URL(), redisstore.Config{})
	sessions := register(b, s, 0, 1000, 1)
	for _, size := range []int{1, 64} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			batch := make([]store.Fence, size)
			for b.Loop() {
				for i := range batch {
					batch[i] = store.Fence{RequestID: "r", SessionID: sessions[i].ID}
				}
				if _, err := s.Fence(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size*b.N)/b.Elapsed().Seconds(), "fences/s")
		})
	}
}

// Revoke and Finish of a batch of users with one session each, and of one
// user with very many.
func BenchmarkRevoke(b *testing.B) {
	for _, shape := range []struct{ users, sessions int }{{256, 1}, {1, 20_000}, {1, 100_000}} {
		b.Run(fmt.Sprintf("users=%d/sessions=%d", shape.users, shape.sessions), func(b *testing.B) {
			s := open(b, redistest.Start(b).URL(), redisstore.Config{})
			for round := 0; b.Loop(); round++ {
				b.StopTimer()
				sessions := register(b, s, round, shape.users, shape.sessions)
				var batch []store.Revocation
				for u := range shape.users {
					batch = append(batch, store.Revocation{
						RequestID: fmt.Sprint("r", round, " ", u), Scope: store.ScopeUser,
						User: sessions[u*shape.sessions].User, Cutoff: time.Now().Add(-time.Minute),
					})
				}
				b.StartTimer()
				if _, err := s.Revoke(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
				if _, err := s.Finish(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
