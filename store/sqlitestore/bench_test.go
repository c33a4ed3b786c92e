package sqlitestore

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
)

// benchSessions registers n sessions, three a user, and returns them.
func benchSessions(b *testing.B, s *Store, n int) []store.Session {
	sessions := make([]store.Session, n)
	for i := range sessions {
		sessions[i] = store.Session{
			ID: store.TokenID(fmt.Sprint(i)), User: store.User{ID: fmt.Sprint(i / 3)}, DeviceID: "phone",
			AuthenticatedAt: time.Now().Add(-time.Minute), ExpiresAt: time.Now().Add(time.Hour),
		}
	}
	for from := 0; from < n; from += 1000 {
		mustPut(b, s, sessions[from:min(from+1000, n)]...)
	}
	return sessions
}

// BenchmarkFence fences a live session a call, from many callers at once.
func BenchmarkFence(b *testing.B) {
	s := open(b, Config{SweepInterval: time.Hour})
	sessions := benchSessions(b, s, b.N)
	var next atomic.Int64
	b.SetParallelism(64)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := sessions[next.Add(1)-1].ID
			if _, err := s.Fence(b.Context(), []store.Fence{{RequestID: id, SessionID: id}}); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkRevoke revokes and finishes logouts of users with three sessions
// each, 256 a batch; an operation is one logout.
func BenchmarkRevoke(b *testing.B) {
	s := open(b, Config{SweepInterval: time.Hour})
	sessions := benchSessions(b, s, 3*b.N)
	var batch []store.Revocation
	b.ResetTimer()
	for i := range b.N {
		x := sessions[3*i]
		batch = append(batch, store.Revocation{
			RequestID: x.ID, Scope: store.ScopeUser, SessionID: x.ID, User: x.User,
			DeviceID: x.DeviceID, AuthenticatedAt: x.AuthenticatedAt, Cutoff: time.Now(),
		})
		if len(batch) == 256 || i == b.N-1 {
			if _, err := s.Revoke(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			if _, err := s.Finish(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
}
