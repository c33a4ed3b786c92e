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
	reader := <-s.readers // of several, the one that goes round
	defer func() { s.readers <- reader }()
	queries := map[string]bool{}
	for _, c := range []*conn{reader, s.fencer.conn, s.writer.conn} {
		for query := range c.statements {
			queries[query] = true
		}
	}
	if len(queries) < 30 {
		t.Fatalf("only %d statements were used", len(queries))
	}
	for query := range queries {
		for _, step := range plan(t, reader, query) {
			constant := strings.HasPrefix(step, "SCAN CONSTANT ROW") || strings.HasPrefix(step, "SCAN (subquery") // (SELECT 1)
			if strings.Contains(step, "SCAN") && !constant {
				t.Errorf("%s in the plan of %s", step, query)
			}
		}
	}
}

func plan(t *testing.T, c *conn, query string) (steps []string) {
	t.Helper()
	args := make([]any, 12) // at least as many as any has; the rest is ignored
	err := c.transact(`BEGIN`, func(h handle) error {
		return h.rows("EXPLAIN QUERY PLAN "+query, args, func(scan func(...any) error) error {
			var id, parent, unused int
			var step string
			err := scan(&id, &parent, &unused, &step)
			steps = append(steps, step)
			return err
		})
	})
	if err != nil {
		t.Fatalf("%v: %s", err, query)
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
	for after, more := "", true; more; more = after != "" {
		page, err := s.Holders(ctx, after, 1)
		if err != nil {
			t.Fatal(err)
		}
		after = page.Next
	}
	if _, err := s.Users(ctx, []store.User{user}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Finished(ctx, []store.Revocation{logout}); err != nil {
		t.Fatal(err)
	}
	if err := s.sweep(ctx); err != nil {
		t.Fatal(err)
	}
}

// What is left out is not what another call has bound.
func TestTooFewArguments(t *testing.T) {
	t.Parallel()
	err := open(t, Config{}).read(t.Context(), func(h handle) error {
		const query = `SELECT ?1, ?2`
		var a, b int
		if _, err := h.row(query, []any{1, 2}, &a, &b); err != nil || b != 2 {
			t.Errorf("%d, %v", b, err)
		}
		_, err := h.row(query, []any{3}, &a, &b)
		return err
	})
	if err == nil {
		t.Error("a missing argument is no error")
	}
}
