package workers_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/sqlitestore"
	"github.com/logoutd/logoutd/workers"
)

// BenchmarkRevoker drains a backlog on the embedded broker, which syncs; an
// operation is one SAP v2 logout. Over the store "none" it is what a logout
// costs beside the store; "sqlite" holds two sessions and two refresh tokens
// of each user.
func BenchmarkRevoker(b *testing.B) {
	for name, open := range map[string]func(*testing.B, int) store.Store{"store=none": noStore, "store=sqlite": fullStore} {
		b.Run(name, func(b *testing.B) {
			requests := benchRequests(b.N)
			s := open(b, b.N)
			server := eventstest.Start(b)
			p := broker.NewPublisher(server.JS, nil)
			b.Cleanup(p.Close)
			for from := 0; from < b.N; from += messages.MaxBatch {
				if err := p.Split(b.Context(), requests[from:min(from+messages.MaxBatch, b.N)]); err != nil {
					b.Fatal(err)
				}
			}
			b.ResetTimer()
			drainBacklog(b, server.JS, workers.RevokerConfig{JetStream: server.JS, Publisher: p, Store: s})
		})
	}
}

// drainBacklog runs a revoker until everything is acknowledged.
func drainBacklog(b *testing.B, js jetstream.JetStream, c workers.RevokerConfig) {
	c.Metrics, c.Logger = workers.NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- workers.NewRevoker(c).Run(ctx) }()
	for !drained(b.Context(), js) {
		<-time.After(time.Millisecond)
	}
	b.StopTimer()
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}

func drained(ctx context.Context, js jetstream.JetStream) bool {
	consumer, err := js.Consumer(ctx, messages.StreamRequests, messages.ConsumerRevoker)
	return err == nil && consumer.CachedInfo().NumPending == 0 && consumer.CachedInfo().NumAckPending == 0
}

func benchRequests(n int) []messages.Request {
	now := events.At(time.Now())
	requests := make([]messages.Request, n)
	for i := range requests {
		id := store.TokenID(fmt.Sprint("session ", i))
		requests[i] = messages.Request{
			ID: messages.RequestID("user", id), Dialect: "sap-v2", Initiator: messages.InitiatorUser, Scope: "user",
			SessionID: id, UserID: fmt.Sprint("user-", i), AppID: "com.example.app", DeviceID: fmt.Sprint("device-", i),
			AuthenticatedAt: now, Cutoff: now, Fenced: true, RequestedAt: now,
		}
	}
	return requests
}

// idleStore does nothing and says that two sessions and two refresh tokens
// were revoked.
type idleStore struct{ store.Store }

func noStore(*testing.B, int) store.Store { return idleStore{} }

func (idleStore) Revoke(_ context.Context, revocations []store.Revocation) ([]store.Revoked, error) {
	results := make([]store.Revoked, len(revocations))
	for i, r := range revocations {
		results[i] = store.Revoked{
			Cutoff: r.Cutoff, SessionIDs: []string{r.SessionID, r.SessionID}, Sessions: 2, RefreshTokens: 2,
			LatestExpiry: r.Cutoff.Add(time.Hour),
		}
	}
	return results, nil
}

func (idleStore) Finish(_ context.Context, revocations []store.Revocation) ([]error, error) {
	return make([]error, len(revocations)), nil
}

func fullStore(b *testing.B, users int) store.Store {
	s, err := sqlitestore.Open(filepath.Join(b.TempDir(), "store.db"), sqlitestore.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	past, later := time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	for from := 0; from < users; from += 1000 {
		var sessions []store.Session
		var tokens []store.RefreshToken
		for i := from; i < min(from+1000, users); i++ {
			for _, name := range []string{"session ", "other "} {
				id, user := store.TokenID(fmt.Sprint(name, i)), store.User{ID: fmt.Sprint("user-", i)}
				sessions = append(sessions, store.Session{
					ID: id, User: user, DeviceID: fmt.Sprint("device-", i), AuthenticatedAt: past, ExpiresAt: later,
				})
				tokens = append(tokens, store.RefreshToken{
					ID: store.TokenID("refresh of " + id), User: user, SessionID: id, ExpiresAt: later,
				})
			}
		}
		if _, err := s.PutSessions(b.Context(), sessions); err != nil {
			b.Fatal(err)
		}
		if _, err := s.PutRefreshTokens(b.Context(), tokens); err != nil {
			b.Fatal(err)
		}
	}
	return s
}
