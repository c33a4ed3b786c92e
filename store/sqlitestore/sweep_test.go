package sqlitestore

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/logoutd/logoutd/store"
)

// clock is a clock that a test moves.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) moveDays(days int) { c.ahead.Add(int64(days) * int64(24*time.Hour)) }

// refusedLate reports whether a session from before the cutoff is refused.
func refusedLate(t *testing.T, s *Store, c *clock) bool {
	t.Helper()
	late := session1
	late.ID = store.TokenID(c.now().String())
	late.ExpiresAt = c.now().Add(time.Hour)
	results, err := s.PutSessions(t.Context(), []store.Session{late})
	if err != nil {
		t.Fatal(err)
	}
	return errors.Is(results[0].Err, store.ErrRevoked)
}

func TestCutoffIsKept(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ lifetime, kept int }{
		"400 days":                        {lifetime: 30, kept: 400},
		"as long as the credentials live": {lifetime: 600, kept: 601},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &clock{}
			s := open(t, Config{Clock: c.now, Retention: 24 * time.Hour})
			x := session1
			x.ExpiresAt = c.now().AddDate(0, 0, test.lifetime)
			mustPut(t, s, x)
			if _, err := s.Fence(t.Context(), []store.Fence{{RequestID: "operator", User: user}}); err != nil {
				t.Fatal(err)
			}
			c.moveDays(test.kept - 1)
			if err := s.sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !refusedLate(t, s, c) {
				t.Error("the cutoff was forgotten too early")
			}
			c.moveDays(2)
			testkit.Eventually(t, "the cutoff is forgotten", func() bool { return !refusedLate(t, s, c) })
		})
	}
}

// Everything that is past its time is deleted, in chunks.
func TestSweep(t *testing.T) {
	t.Parallel()
	c := &clock{}
	s := open(t, Config{Clock: c.now, chunkRows: 3})
	for i := range 10 {
		x := session1
		x.ID = store.TokenID(string(rune('a' + i)))
		mustPut(t, s, x)
	}
	mustPut(t, s, session1)
	r := logout
	r.DeviceID = "phone"
	mustRevoke(t, s, r)
	mustFinish(t, s, r)
	r.RequestID, r.Scope = "other", store.ScopeUser
	mustRevoke(t, s, r)
	mustFinish(t, s, r)

	c.moveDays(500)
	testkit.Eventually(t, "all tables are empty", func() bool {
		var rows int
		err := s.read(t.Context(), func(h handle) error {
			_, err := h.row(`SELECT (SELECT count(*) FROM credentials) + (SELECT count(*) FROM cutoffs) +
				(SELECT count(*) FROM push_cutoffs) + (SELECT count(*) FROM done)`, nil, &rows)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return rows == 0
	})
}
