package sqlitestore

import (
	"context"
	"database/sql"
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
func waitQueued(t *testing.T, w *writer, l lane, n int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		w.mu.Lock()
		queued := len(w.lanes[l])
		w.mu.Unlock()
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

func fenceOf(name string) []store.Fence {
	return []store.Fence{{RequestID: name, SessionID: store.TokenID(name)}}
}

// Calls that come while a transaction is under way share the next one.
func TestCallsShareATransaction(t *testing.T) {
	t.Parallel()
	const calls = 50
	s := open(t, Config{SweepInterval: time.Hour})
	transactions := 0
	begun := make(chan struct{})
	s.writer.before = func(lane) error {
		transactions++
		if transactions == 1 {
			close(begun)
			waitQueued(t, s.writer, quick, calls)
		}
		return nil
	}
	mustConcurrently(t, calls+1, func(i int) error {
		if i > 0 {
			<-begun // the first has a transaction of its own
		}
		_, err := s.Fence(t.Context(), fenceOf(fmt.Sprint(i)))
		return err
	})
	if transactions != 2 {
		t.Errorf("%d transactions, want 2", transactions)
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

// A logout of a large user does not hold up fences.
func TestFenceBetweenChunks(t *testing.T) {
	t.Parallel()
	s := open(t, Config{SweepInterval: time.Hour, chunkRows: 10})
	for i := range 100 {
		x := session1
		x.ID = store.TokenID(fmt.Sprint(i))
		mustPut(t, s, x)
	}
	var lanes []lane
	fenced := make(chan error, 1)
	s.writer.before = func(l lane) error {
		if lanes = append(lanes, l); len(lanes) == 3 {
			go func() {
				_, err := s.Fence(t.Context(), fenceOf("other"))
				fenced <- err
			}()
			waitQueued(t, s.writer, quick, 1)
		}
		return nil
	}
	r := logout
	r.Scope = store.ScopeUser
	if told := mustRevoke(t, s, r); told.Sessions != 101 {
		t.Errorf("told of %d sessions", told.Sessions)
	}
	if err := <-fenced; err != nil {
		t.Error(err)
	}
	if len(lanes) < 10 || lanes[3] != quick {
		t.Errorf("transactions in lanes %v, want the fence in the fourth", lanes)
	}
}

// Another program has locked the file.
func TestLocked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "logoutd.db")
	s := openFile(t, path, Config{SweepInterval: time.Hour})
	mustPut(t, s, session1)
	other, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	if _, err := other.Exec(`BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = s.Fence(ctx, fenceOf("one"))
	if !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v", err)
	}
	if !active(t, s, session1.ID) {
		t.Error("a reader had to wait for the writer")
	}
	if _, err := other.Exec(`ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	mustFence(t, s)
	if active(t, s, session1.ID) {
		t.Error("still active")
	}
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	s := open(t, Config{SweepInterval: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Fence(ctx, fenceOf("one")); !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrUnavailable) {
		t.Errorf("got error %v, want the context's alone", err)
	}
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	s := open(t, Config{SweepInterval: time.Hour})
	err := s.write(t.Context(), durable, 1, func(h handle) error {
		_, err := h.exec(`PRAGMA max_page_count = 1`) // which means: no more than now
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10_000 {
		x := session1
		x.ID = store.TokenID(fmt.Sprint(i))
		if _, err := s.PutSessions(t.Context(), []store.Session{x}); err != nil {
			if !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("got error %v", err)
			}
			return
		}
	}
	t.Error("the disk was never full")
}
