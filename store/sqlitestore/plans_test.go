package sqlitestore

import (
	"strings"
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
)

// No statement reads a whole table: with a million sessions that would take
// seconds.
func TestNoStatementScans(t *testing.T) {
	t.Parallel()
	s := open(t, Config{SweepInterval: time.Hour})
	useEverything(t, s)
	for _, statements := range []*statements{s.readers, s.writer.statements} {
		if len(statements.byText) < 5 {
			t.Fatalf("only %d statements were used", len(statements.byText))
		}
		for query := range statements.byText {
			if strings.Contains(query, "revoker") || strings.HasPrefix(query, "PRAGMA") {
				continue
			}
			for _, step := range plan(t, s, query) {
				if strings.Contains(step, "SCAN") && !strings.HasPrefix(step, "SCAN CONSTANT ROW") {
					t.Errorf("%s in the plan of %s", step, query)
				}
			}
		}
	}
}

func plan(t *testing.T, s *Store, query string) (steps []string) {
	t.Helper()
	args := make([]any, 10) // at least as many as any has; the driver ignores the rest
	rows, err := s.pool.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatalf("%v: %s", err, query)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	return steps
}

// useEverything calls every method, so that all statements are prepared.
func useEverything(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	mustPut(t, s, session1)
	mustPut(t, s, session1)
	token := store.RefreshToken{ID: store.TokenID("token"), User: user, SessionID: session1.ID, ExpiresAt: session1.ExpiresAt}
	registration := store.PushRegistration{User: user, DeviceID: "phone", Provider: "http", PushToken: "token"}
	for range 2 {
		if _, err := s.PutRefreshTokens(ctx, []store.RefreshToken{token}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.PutPushRegistrations(ctx, []store.PushRegistration{registration}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.RefreshTokens(ctx, []string{token.ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reregistered(ctx, []store.PushCheck{{User: user, Cutoff: time.Now()}}); err != nil {
		t.Fatal(err)
	}
	mustFence(t, s)
	for i, scope := range []store.Scope{store.ScopeSession, store.ScopeUser, store.ScopeDevice} {
		r := logout
		r.RequestID, r.Scope, r.DeviceID = string(rune('a'+i)), scope, "phone"
		mustRevoke(t, s, r)
		mustFinish(t, s, r)
	}
	if err := s.sweep(ctx); err != nil {
		t.Fatal(err)
	}
}
