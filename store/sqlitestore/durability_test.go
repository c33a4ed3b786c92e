package sqlitestore

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
)

var (
	user     = store.User{TenantID: "acme", ID: "ada"}
	session1 = store.Session{
		ID: store.TokenID("one"), User: user, DeviceID: "phone",
		AuthenticatedAt: time.Now().Add(-time.Minute), ExpiresAt: time.Now().Add(time.Hour),
	}
	logout = store.Revocation{
		RequestID: "request", Scope: store.ScopeSession, SessionID: session1.ID, User: user,
		AuthenticatedAt: session1.AuthenticatedAt, Cutoff: time.Now(),
	}
)

func mustPut(t testing.TB, s store.Store, sessions ...store.Session) {
	t.Helper()
	results, err := s.PutSessions(t.Context(), sessions)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

// mustFence fences session1 for the request logout.
func mustFence(t testing.TB, s store.Store) store.Fenced {
	t.Helper()
	return fenceOf(t, s, store.Fence{RequestID: logout.RequestID, SessionID: session1.ID})
}

func fenceOf(t testing.TB, s store.Store, f store.Fence) store.Fenced {
	t.Helper()
	fenced, err := s.Fence(t.Context(), []store.Fence{f})
	if err != nil || fenced[0].Err != nil {
		t.Fatal(err, fenced)
	}
	return fenced[0]
}

func mustRevoke(t testing.TB, s store.Store, r store.Revocation) store.Revoked {
	t.Helper()
	revoked, err := s.Revoke(t.Context(), []store.Revocation{r})
	if err != nil || revoked[0].Err != nil {
		t.Fatal(err, revoked)
	}
	return revoked[0]
}

func mustFinish(t testing.TB, s store.Store, r store.Revocation) {
	t.Helper()
	if errs, err := s.Finish(t.Context(), []store.Revocation{r}); err != nil || errs[0] != nil {
		t.Fatal(err, errs)
	}
}

func active(t testing.TB, s store.Store, id string) bool {
	t.Helper()
	states, err := s.Sessions(t.Context(), []string{id})
	if err != nil {
		t.Fatal(err)
	}
	return states[0].Active
}

// What is on disk when a call returns: the log, after its last transaction was
// synced.
func TestSynced(t *testing.T) {
	t.Parallel()
	s := open(t, Config{SweepInterval: time.Hour})
	var level int
	err := s.write(t.Context(), 1, func(h handle) error {
		_, err := h.row(`PRAGMA synchronous`, nil, &level)
		return err
	})
	const full = 2
	if err != nil || level != full {
		t.Errorf("PRAGMA synchronous is %d (%v), want FULL: what is committed is synced", level, err)
	}
}

// The process dies: what is in the files is all there is.
func TestKilled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "logoutd.db")
	s := openFile(t, path, Config{SweepInterval: time.Hour})
	mustPut(t, s, session1)
	mustFence(t, s)
	mustRevoke(t, s, logout)
	revoked := openFile(t, copyFiles(t, path), Config{})
	if active(t, revoked, session1.ID) {
		t.Error("a revocation was lost")
	}
	if told := mustRevoke(t, revoked, logout); told.Sessions != 1 || told.Done {
		t.Errorf("told of %+v", told)
	}
	mustFinish(t, s, logout)
	finished := openFile(t, copyFiles(t, path), Config{})
	if !mustRevoke(t, finished, logout).Done {
		t.Error("a finished request was forgotten")
	}
}

// copyFiles copies the files of a store that is in use.
func copyFiles(t *testing.T, path string) string {
	t.Helper()
	dir := t.TempDir()
	for _, suffix := range []string{"", "-wal"} {
		from, err := os.Open(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		defer from.Close()
		to, err := os.Create(filepath.Join(dir, "logoutd.db"+suffix))
		if err != nil {
			t.Fatal(err)
		}
		defer to.Close()
		if _, err := io.Copy(to, from); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "logoutd.db")
}
