package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
)

// waitQueued waits until so many calls are queued in the lane.
func waitQueued(t *testing.T, l *transactor, n int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		queued := l.batcher.Waiting()
		if queued == n {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%d calls queued, want %d", queued, n)
			return
		}
		runtime.Gosched()
	}
}

func namedFence(name string) []store.Fence {
	return []store.Fence{{RequestID: name, SessionID: store.TokenID(name)}}
}

func namedSession(name string) store.Session {
	x := session1
	x.ID = store.TokenID(name)
	return x
}

// Calls that come while a transaction is under way share the next one.
func TestCallsShareATransaction(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lane func(*Store) *transactor
		call func(*Store, int) error
	}{
		"fences": {func(s *Store) *transactor { return s.fencer }, func(s *Store, i int) error {
			_, err := s.Fence(t.Context(), namedFence(fmt.Sprint(i)))
			return err
		}},
		"registrations": {func(s *Store) *transactor { return s.writer }, func(s *Store, i int) error {
			_, err := s.PutSessions(t.Context(), []store.Session{namedSession(fmt.Sprint(i))})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const calls = 50
			s := open(t, Config{SweepInterval: time.Hour})
			transactions := 0
			begun := make(chan struct{})
			lane := test.lane(s)
			lane.before = func() error {
				if transactions++; transactions == 1 {
					close(begun)
					waitQueued(t, lane, calls)
				}
				return nil
			}
			mustConcurrently(t, calls+1, func(i int) error {
				if i > 0 {
					<-begun // the first has a transaction of its own
				}
				return test.call(s, i)
			})
			if transactions != 2 {
				t.Errorf("%d transactions, want 2", transactions)
			}
		})
	}
}

func mustConcurrently(t *testing.T, n int, call func(i int) error) {
	t.Helper()
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() {
			if err := call(i); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
}

// A logout of a large user is done in several transactions; a registration
// gets its turn between them, and a fence does not even wait for that.
func TestBetweenChunks(t *testing.T) {
	t.Parallel()
	s := open(t, Config{SweepInterval: time.Hour, chunkRows: 10})
	bystander := namedSession("fenced")
	bystander.User.ID = "bystander"
	mustPut(t, s, bystander)
	for i := range 100 {
		mustPut(t, s, namedSession(fmt.Sprint(i)))
	}
	transactions := 0
	registered := make(chan error, 1)
	s.writer.before = func() error {
		if transactions++; transactions == 3 {
			fenceOf(t, s, namedFence("fenced")[0]) // while the writer stands still
			go func() {
				_, err := s.PutSessions(t.Context(), []store.Session{{ID: store.TokenID("other"), User: store.User{ID: "other"}}})
				registered <- err
			}()
			waitQueued(t, s.writer, 1)
		}
		return nil
	}
	r := logout
	r.Scope = store.ScopeUser
	if told := mustRevoke(t, s, r); told.Sessions != 101 {
		t.Errorf("told of %d sessions", told.Sessions)
	}
	if err := <-registered; err != nil {
		t.Error(err)
	}
	if transactions < 10 {
		t.Errorf("%d transactions", transactions)
	}
}

// Another program has locked the file: that holds up neither checks nor fences.
func TestLocked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "logoutd.db")
	s := openFile(t, path, Config{SweepInterval: time.Hour})
	mustPut(t, s, session1)
	other := fileOf(t, s)
	if _, err := other.Exec(`BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := s.PutSessions(ctx, []store.Session{namedSession("two")})
	if !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v", err)
	}
	mustFence(t, s)
	if active(t, s, session1.ID) {
		t.Error("still active")
	}
	if _, err := other.Exec(`ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	mustPut(t, s, namedSession("three"))
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	s := open(t, Config{SweepInterval: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Fence(ctx, namedFence("one")); !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrUnavailable) {
		t.Errorf("got error %v, want the context's alone", err)
	}
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	s := open(t, Config{SweepInterval: time.Hour})
	err := s.write(t.Context(), 1, func(h handle) error {
		_, err := h.exec(`PRAGMA max_page_count = 1`) // which means: no more than now
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10_000 {
		if _, err := s.PutSessions(t.Context(), []store.Session{namedSession(fmt.Sprint(i))}); err != nil {
			if !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("got error %v", err)
			}
			if err := s.Ping(t.Context()); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("ping: got error %v", err)
			}
			return
		}
	}
	t.Error("the disk was never full")
}

// A file that can be read and not written is no store that can be used.
func TestPingNoticesThatNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	s := open(t, Config{SweepInterval: time.Hour})
	pragma := func(text string) {
		t.Helper()
		// Not through the writer: its transactions begin with a write lock.
		err := s.writer.conn.transact(`BEGIN`, func(h handle) error { _, err := h.exec(text); return err })
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	pragma(`PRAGMA query_only = 1`)
	s.ping.ended = time.Time{}
	if err := s.Ping(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("read-only: got error %v", err)
	}
	pragma(`PRAGMA query_only = 0`)
	s.ping.ended = time.Time{}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("writable again: %v", err)
	}
}

// A caller whose time is over leaves its work to the lane, and the store is
// closed while that is under way: everything is done first, and once.
func TestCloseWaitsForWhatCallersHaveLeft(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lane func(*Store) *transactor
		call func(*Store, context.Context) error
	}{
		"a fence": {func(s *Store) *transactor { return s.fencer }, func(s *Store, ctx context.Context) error {
			_, err := s.Fence(ctx, namedFence("x")) // what is remembered needs no lane
			return err
		}},
		"a registration": {func(s *Store) *transactor { return s.writer }, func(s *Store, ctx context.Context) error {
			_, err := s.PutSessions(ctx, []store.Session{namedSession("b")})
			return err
		}},
		"a revocation": {func(s *Store) *transactor { return s.writer }, func(s *Store, ctx context.Context) error {
			_, err := s.Revoke(ctx, []store.Revocation{{RequestID: "r", Scope: store.ScopeUser, SessionID: store.TokenID("a"), User: session1.User, Cutoff: time.Now()}})
			return err
		}},
		"a ping": {func(s *Store) *transactor { return s.writer }, (*Store).Ping},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openFile(t, filepath.Join(t.TempDir(), "store.db"), Config{SweepInterval: time.Hour})
			mustPut(t, s, namedSession("a"))
			lane := test.lane(s)
			begun, goOn := make(chan struct{}), make(chan struct{})
			var once sync.Once
			lane.before = func() error {
				once.Do(func() {
					close(begun)
					<-goOn
				})
				return nil
			}
			ctx, cancel := context.WithCancel(t.Context())
			called := make(chan error, 1)
			go func() { called <- test.call(s, ctx) }()
			<-begun // in a batch of its own
			cancel()
			if err := <-called; !errors.Is(err, context.Canceled) {
				t.Errorf("got error %v", err)
			}
			closed := make(chan error, 1)
			go func() { closed <- s.Close() }()
			runtime.Gosched()
			close(goOn)
			if err := <-closed; err != nil {
				t.Errorf("closing: %v", err)
			}
			if err := test.call(s, t.Context()); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("after closing: got error %v", err)
			}
		})
	}
}

// Each write of a ping is an fsync, and anybody can ask for /readyz.
func TestPingsShareAWrite(t *testing.T) {
	t.Parallel()
	s := open(t, Config{SweepInterval: time.Hour})
	writes := 0
	begun, goOn := make(chan struct{}), make(chan struct{})
	s.writer.before = func() error {
		if writes++; writes == 1 {
			close(begun)
			<-goOn
		}
		return nil
	}
	var first sync.WaitGroup
	first.Go(func() {
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
	<-begun
	hurried, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Ping(hurried); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that has no time, beside a write that hangs: %v", err)
	}
	go func() {
		defer close(goOn)
		runtime.Gosched()
	}()
	mustConcurrently(t, 50, func(int) error { return s.Ping(t.Context()) })
	first.Wait()
	if writes != 1 {
		t.Errorf("%d writes, want 1", writes)
	}
	s.ping.ended = time.Now().Add(-pingEvery)
	if err := s.Ping(t.Context()); err != nil || writes != 2 {
		t.Errorf("a second later: %d writes and error %v, want another write", writes, err)
	}
}
