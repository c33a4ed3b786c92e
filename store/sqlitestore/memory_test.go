package sqlitestore

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/logoutd/logoutd/store"
)

// The tests of fences that are in memory until a Revoke, the background or
// Close writes them.

// activeOnDisk reports whether the session is active for whoever opens a copy of the
// files now.
func activeOnDisk(t *testing.T, path, id string) bool {
	t.Helper()
	return active(t, openFile(t, copyFiles(t, path), Config{SweepInterval: time.Hour}), id)
}

func TestFenceIsLostByACrashAndRepeated(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "logoutd.db")
	s := openFile(t, path, Config{SweepInterval: time.Hour})
	mustPut(t, s, session1)
	fenced := mustFence(t, s)
	if active(t, s, session1.ID) {
		t.Fatal("a fenced session is active")
	}

	again := openFile(t, copyFiles(t, path), Config{})
	if !active(t, again, session1.ID) {
		t.Fatal("the fence was on disk: this test tests nothing")
	}
	f := fenceOf(t, again, store.Fence{RequestID: logout.RequestID, SessionID: session1.ID, At: fenced.Cutoff})
	if f.Outcome != store.FenceFenced || !f.Cutoff.Equal(fenced.Cutoff) {
		t.Errorf("fenced again: %s, cutoff %s; want that of before, %s", f.Outcome, f.Cutoff, fenced.Cutoff)
	}
	if active(t, again, session1.ID) {
		t.Error("active after it was fenced again")
	}
}

func TestDurableFenceSurvives(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "logoutd.db")
	s := openFile(t, path, Config{SweepInterval: time.Hour})
	mustPut(t, s, session1, namedSession("two"))
	mustFence(t, s)
	for _, id := range []string{session1.ID, store.TokenID("two")} {
		fenceOf(t, s, store.Fence{RequestID: "durable", SessionID: id, Durable: true})
		if activeOnDisk(t, path, id) {
			t.Error("a durable fence was lost")
		}
	}
	if told := mustRevoke(t, s, logout); told.Sessions != 1 || told.LatestExpiry.IsZero() {
		t.Errorf("told of %+v", told)
	}
	wantNoFences(t, s)
}

// wantNoFences asserts that memory holds no fence any more.
func wantNoFences(t *testing.T, s *Store) {
	t.Helper()
	if left := s.fences.all(); len(left) > 0 {
		t.Errorf("%d fences are left in memory", len(left))
	}
}

func TestRevokeWritesTheFence(t *testing.T) {
	t.Parallel()
	for _, scope := range []store.Scope{store.ScopeSession, store.ScopeUser, store.ScopeDevice} {
		path := filepath.Join(t.TempDir(), "logoutd.db")
		s := openFile(t, path, Config{SweepInterval: time.Hour})
		mustPut(t, s, session1)
		r := logout
		r.Scope, r.DeviceID = scope, session1.DeviceID
		r.Cutoff = mustFence(t, s).Cutoff
		mustRevoke(t, s, r)
		wantNoFences(t, s)
		disk := openFile(t, copyFiles(t, path), Config{SweepInterval: time.Hour})
		if f := mustFence(t, disk); f.Outcome != store.FenceEnded || !f.Cutoff.Equal(r.Cutoff) {
			t.Errorf("by %s: on disk it is %s since %s, want since %s", scope, f.Outcome, f.Cutoff, r.Cutoff)
		}
	}
}

// A logout of all meets a session that another request has fenced: that one's
// mark and time stand.
func TestRevokeMeetsAnotherRequestsFence(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "logoutd.db")
	s := openFile(t, path, Config{SweepInterval: time.Hour})
	mustPut(t, s, session1, namedSession("other"), namedSession("third"))
	other := store.Fence{RequestID: "other", SessionID: store.TokenID("other"), At: time.Now().Add(-time.Second)}
	ended := fenceOf(t, s, other).Cutoff

	all := logout
	all.Scope = store.ScopeUser
	all.Cutoff = mustFence(t, s).Cutoff
	if told := mustRevoke(t, s, all); told.Sessions != 2 || told.SessionIDs[1] != store.TokenID("third") {
		t.Errorf("told of %+v", told)
	}
	wantNoFences(t, s)
	disk := openFile(t, copyFiles(t, path), Config{SweepInterval: time.Hour})
	if f := fenceOf(t, disk, other); f.Outcome != store.FenceEnded || !f.Cutoff.Equal(ended) {
		t.Errorf("on disk it is %s since %s, want since its own fence at %s", f.Outcome, f.Cutoff, ended)
	}
	r := logout
	r.RequestID, r.SessionID, r.Cutoff = "other", other.SessionID, ended
	if told := mustRevoke(t, s, r); told.Sessions != 1 || told.SessionIDs[0] != other.SessionID {
		t.Errorf("told of %+v", told)
	}
}

func TestFencesAreWrittenInTheBackground(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "logoutd.db")
	s := openFile(t, path, Config{SweepInterval: time.Hour, WriteDownInterval: time.Millisecond})
	mustPut(t, s, session1)
	fenced := mustFence(t, s)
	testkit.Eventually(t, "memory holds no fence", func() bool { return len(s.fences.all()) == 0 })
	disk := openFile(t, copyFiles(t, path), Config{})
	if f := mustFence(t, disk); f.Outcome != store.FenceEnded || !f.Cutoff.Equal(fenced.Cutoff) {
		t.Errorf("on disk it is %s since %s, want %s", f.Outcome, f.Cutoff, fenced.Cutoff)
	}
}

// One that cannot be written stays fenced in memory, and holds up no other.
func TestDamagedSessionHoldsUpNoFence(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "logoutd.db")
	s := openFile(t, path, Config{SweepInterval: time.Hour, chunkRows: 1})
	mustPut(t, s, session1, namedSession("damaged"))
	mustFence(t, s)
	fenceOf(t, s, namedFence("damaged")[0])
	_, err := fileOf(t, s).Exec(`CREATE TRIGGER damaged BEFORE UPDATE ON credentials
		WHEN old.session_id = '` + store.TokenID("damaged") + `' BEGIN SELECT RAISE(ABORT, 'damaged'); END`)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "all fences but one are written", func() bool {
		if err := s.writeDownAged(t.Context()); err != nil && !ofItem(err) {
			t.Fatal(err)
		}
		return len(s.fences.all()) == 1
	})
	if left := s.fences.all(); len(left) != 1 || left[0] != store.TokenID("damaged") {
		t.Errorf("%d fences are left in memory, want that of the damaged session", len(left))
	}
	if active(t, s, store.TokenID("damaged")) || activeOnDisk(t, path, session1.ID) {
		t.Error("a fence was lost")
	}
	if _, err := fileOf(t, s).Exec(`DROP TRIGGER damaged`); err != nil {
		t.Fatal(err)
	}
}

func TestCloseWritesFences(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "logoutd.db")
	s := openFile(t, path, Config{SweepInterval: time.Hour})
	mustPut(t, s, session1)
	mustFence(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if active(t, openFile(t, path, Config{}), session1.ID) {
		t.Error("a fence was lost by Close")
	}
}

// What is bound to a session that is fenced in memory is refused and dead.
func TestBoundToAFenceInMemory(t *testing.T) {
	t.Parallel()
	s := open(t, Config{SweepInterval: time.Hour})
	mustPut(t, s, session1)
	bound := store.RefreshToken{ID: store.TokenID("token"), User: user, SessionID: session1.ID, ExpiresAt: session1.ExpiresAt}
	put := func(token store.RefreshToken) error {
		results, err := s.PutRefreshTokens(t.Context(), []store.RefreshToken{token})
		if err != nil {
			t.Fatal(err)
		}
		return results[0].Err
	}
	if err := put(bound); err != nil {
		t.Fatal(err)
	}
	mustFence(t, s)
	states, err := s.RefreshTokens(t.Context(), []string{bound.ID})
	if err != nil || states[0].Active {
		t.Errorf("active (%v)", err)
	}
	rotated := bound
	rotated.ID, rotated.SessionID, rotated.RotatedFrom = store.TokenID("rotated"), "", bound.ID
	later := bound
	later.ID = store.TokenID("later")
	for _, token := range []store.RefreshToken{bound, rotated, later} {
		if err := put(token); !errors.Is(err, store.ErrRevoked) {
			t.Errorf("got error %v", err)
		}
	}
	results, err := s.PutPushRegistrations(t.Context(), []store.PushRegistration{
		{User: user, DeviceID: "phone", Provider: "http", PushToken: "token", SessionID: session1.ID},
	})
	if err != nil || !errors.Is(results[0].Err, store.ErrRevoked) {
		t.Errorf("got %v %v", results, err)
	}
	if left := s.fences.all(); len(left) != 1 {
		t.Errorf("%d fences in memory: this test tests nothing", len(left))
	}
}

// However a check meets Revoke, which moves fences from memory into the file,
// it never calls a fenced session or what is bound to it active.
func TestCheckRacesRevoke(t *testing.T) {
	t.Parallel()
	s := open(t, Config{SweepInterval: time.Hour})
	for round := range 50 {
		x := namedSession(fmt.Sprint(round))
		mustPut(t, s, x)
		token := store.RefreshToken{ID: store.TokenID(fmt.Sprint("token", round)), User: user, SessionID: x.ID, ExpiresAt: x.ExpiresAt}
		if _, err := s.PutRefreshTokens(t.Context(), []store.RefreshToken{token}); err != nil {
			t.Fatal(err)
		}
		r := logout
		r.RequestID, r.SessionID = fmt.Sprint(round), x.ID
		r.Cutoff = fenceOf(t, s, store.Fence{RequestID: r.RequestID, SessionID: x.ID}).Cutoff
		done := make(chan struct{})
		go func() {
			defer close(done)
			if _, err := s.Revoke(t.Context(), []store.Revocation{r}); err != nil {
				t.Error(err)
			}
		}()
		for revoked := false; !revoked; runtime.Gosched() {
			select {
			case <-done:
				revoked = true
			default:
			}
			tokens, err := s.RefreshTokens(t.Context(), []string{token.ID})
			if err != nil || tokens[0].Active || active(t, s, x.ID) {
				t.Errorf("active in round %d (%v)", round, err)
				revoked = true
			}
		}
		<-done
	}
	wantNoFences(t, s)
}

// A fence leaves memory only when every transaction has ended that may not
// see it in the file.
func TestFenceOutlivesTransactions(t *testing.T) {
	t.Parallel()
	f := newFences(Config{})
	has := func(id string) bool { _, ok := f.of(id); return ok }
	at := func(int64) int64 { return 1 }
	f.add("a", "request", 1, at)
	f.add("b", "request", 1, at)
	before := f.enter()
	f.remove([]string{"a"})
	after := f.enter()
	f.remove([]string{"b"})
	if !has("a") || !has("b") {
		t.Error("removed under a transaction that began before")
	}
	f.leave(before)
	if has("a") || !has("b") {
		t.Errorf("after the first transaction: a %t, b %t; want b only", has("a"), has("b"))
	}
	f.leave(after)
	if has("b") {
		t.Error("never removed")
	}
}
