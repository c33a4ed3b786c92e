package sqlitestore

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
)

// remembered returns what memory has of the session.
func remembered(s *Store, id string) (x session, ok bool) {
	s.fences.mu.Lock()
	defer s.fences.mu.Unlock()
	return s.fences.live.of(id)
}

// The fence of a session that was registered needs no look-up: it works while
// nothing can be read.
func TestFenceNeedsNoLookUp(t *testing.T) {
	t.Parallel()
	s := open(t, Config{SweepInterval: time.Hour})
	mustPut(t, s, session1)
	if _, err := fileOf(t, s).Exec(`UPDATE credentials SET session_id = 'hidden ' || session_id`); err != nil {
		t.Fatal(err)
	}
	f := mustFence(t, s)
	want := session1
	want.Kind = store.KindAPI
	want.AuthenticatedAt, want.ExpiresAt = fromMillis(millis(want.AuthenticatedAt)), fromMillis(millis(want.ExpiresAt))
	if f.Outcome != store.FenceFenced || f.Session != want || f.Cutoff.IsZero() {
		t.Errorf("fenced %+v, want %+v", f, want)
	}
	if f := mustFence(t, s); f.Outcome != store.FenceUnknown {
		t.Errorf("it was not looked up when it was fenced before: this test tests nothing (%+v)", f)
	}
}

// What is remembered of a session is what a look-up finds, and nothing is
// remembered of one that has ended.
func TestMemoryAgreesWithTheFile(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	s := open(t, Config{SweepInterval: time.Hour, chunkRows: 3})
	const users, perUser = 4, 5
	id := func(u, n int) string { return store.TokenID(fmt.Sprint("session ", u, n)) }
	user := func(u int) store.User { return store.User{TenantID: "tenant", ID: fmt.Sprint("user ", u)} }
	at := func(seconds int) time.Time { return time.Now().Add(time.Duration(seconds) * time.Second) }
	ended := 0
	for step := range 600 {
		u, n := random.IntN(users), random.IntN(perUser)
		x := store.Session{
			ID: id(u, n), User: user(u), DeviceID: fmt.Sprint("device ", n%2), AppID: "app", Kind: store.KindBrowser,
			ExpiresAt: at(1000 + random.IntN(1000)),
		}
		r := store.Revocation{RequestID: fmt.Sprint("request ", step), User: x.User, Cutoff: time.Now(), DeviceID: x.DeviceID}
		var err error
		switch random.IntN(9) {
		default: // registered, or extended
			_, err = s.PutSessions(t.Context(), []store.Session{x})
		case 3, 4, 5:
			token := store.TokenID(fmt.Sprint("token ", u, n))
			_, err = s.PutRefreshTokens(t.Context(), []store.RefreshToken{
				{ID: token, User: x.User, SessionID: x.ID, ExpiresAt: at(1500 + random.IntN(1000))},
				{ID: store.TokenID(fmt.Sprint("token ", step)), User: x.User, RotatedFrom: token, ExpiresAt: at(2500 + random.IntN(1000))},
			})
		case 6:
			r.Scope = []store.Scope{store.ScopeUser, store.ScopeDevice}[random.IntN(2)]
			_, err = s.Revoke(t.Context(), []store.Revocation{r})
		case 7:
			r.Scope, r.SessionID = store.ScopeSession, x.ID
			_, err = s.Revoke(t.Context(), []store.Revocation{r})
		case 8:
			_, err = s.Fence(t.Context(), []store.Fence{{RequestID: r.RequestID, SessionID: x.ID}})
		}
		if err != nil {
			t.Fatal(err)
		}
		ended += wantMemoryOf(t, s, id, users, perUser)
	}
	if ended == 0 {
		t.Error("no session has ever ended: this test tests nothing")
	}
}

// wantMemoryOf compares memory and file, and returns how many of the sessions
// have ended.
func wantMemoryOf(t *testing.T, s *Store, id func(u, n int) string, users, perUser int) (ended int) {
	t.Helper()
	err := s.read(t.Context(), func(h handle) error {
		for i := range users * perUser {
			have, ok := remembered(s, id(i/perUser, i%perUser))
			want, known, err := h.record(id(i/perUser, i%perUser))
			if err != nil {
				return err
			}
			live := known && want.revokedAt == 0
			if live != ok || live && have != want {
				t.Fatalf("memory has %+v (%t), the file %+v (live: %t)", have, ok, want, live)
			}
			if known && !live {
				ended++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ended
}

// A registration that was not committed leaves nothing in memory.
func TestMemoryOfWhatWasRolledBack(t *testing.T) {
	t.Parallel()
	s := open(t, Config{SweepInterval: time.Hour})
	if _, err := fileOf(t, s).Exec(`CREATE TRIGGER full AFTER INSERT ON credentials BEGIN SELECT RAISE(ROLLBACK, 'full'); END`); err != nil {
		t.Fatal(err)
	}
	results, err := s.PutSessions(t.Context(), []store.Session{session1})
	if err == nil && results[0].Err == nil {
		t.Fatal("it was registered: this test tests nothing")
	}
	if _, ok := remembered(s, session1.ID); ok {
		t.Error("remembered")
	}
}

func TestExpiredSessionsAreForgotten(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := open(t, Config{SweepInterval: time.Hour, Clock: func() time.Time { return now }})
	x := namedSession("short")
	x.AuthenticatedAt, x.ExpiresAt = now, now.Add(time.Minute)
	mustPut(t, s, x)
	now = x.ExpiresAt
	if f := fenceOf(t, s, store.Fence{RequestID: "r", SessionID: x.ID}); f.Outcome != store.FenceEnded || !f.Cutoff.Equal(x.ExpiresAt.Truncate(time.Millisecond)) {
		t.Errorf("it is %s since %s, want since its expiry at %s", f.Outcome, f.Cutoff, x.ExpiresAt)
	}
}

// A session that is extended and revoked in one transaction has ended.
func TestMemoryOfOneTransaction(t *testing.T) {
	t.Parallel()
	s := open(t, Config{SweepInterval: time.Hour})
	mustPut(t, s, session1)
	err := s.write(t.Context(), 2, func(h handle) error {
		later := session1
		later.ExpiresAt = later.ExpiresAt.Add(time.Hour)
		if _, err := h.putSession(later); err != nil {
			return err
		}
		r := revocation{Revocation: store.Revocation{RequestID: "all", Scope: store.ScopeUser, User: user, Cutoff: time.Now()}}
		_, _, err := h.revoke(&r, 1000)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if active(t, s, session1.ID) {
		t.Fatal("not revoked: this test tests nothing")
	}
	if x, ok := remembered(s, session1.ID); ok {
		t.Errorf("remembered as live: %+v", x)
	}
}
