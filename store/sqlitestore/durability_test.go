package sqlitestore

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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

func mustFence(t testing.TB, s store.Store) {
	t.Helper()
	fenced, err := s.Fence(t.Context(), []store.Fence{{RequestID: logout.RequestID, SessionID: session1.ID}})
	if err != nil || fenced[0].Err != nil {
		t.Fatal(err, fenced)
	}
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

// What each call promises to be on disk when it returns.
func TestLanes(t *testing.T) {
	t.Parallel()
	s := open(t, Config{SweepInterval: time.Hour})
	var synchronous []int
	watch := func(call func()) int {
		t.Helper()
		synchronous = nil
		call()
		if len(synchronous) != 1 {
			t.Fatalf("%d transactions", len(synchronous))
		}
		return synchronous[0]
	}
	s.writer.before = func(l lane) error {
		// What the transaction of the lane will see.
		h := handle{statements: s.writer.statements, ctx: t.Context()}
		if err := s.writer.begin(h, l); err != nil {
			return err
		}
		var level int
		if _, err := h.row(`PRAGMA synchronous`, nil, &level); err != nil {
			return err
		}
		synchronous = append(synchronous, level)
		return s.writer.rollback(h, nil)
	}
	got := map[string]int{
		"PutSessions": watch(func() { mustPut(t, s, session1) }),
		"Fence":       watch(func() { mustFence(t, s) }),
		"Revoke":      watch(func() { mustRevoke(t, s, logout) }),
		"again":       watch(func() { mustFence(t, s) }),
		"Finish":      watch(func() { mustFinish(t, s, logout) }),
	}
	const normal, full = 1, 2
	want := map[string]int{"PutSessions": full, "Fence": normal, "Revoke": full, "again": normal, "Finish": full}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("PRAGMA synchronous (-want +got):\n%s", diff)
	}
}

// A transaction that writes nothing is not synced, nor the fence before it.
func TestRevokeAlwaysWrites(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "logoutd.db")
	s := openFile(t, path, Config{SweepInterval: time.Hour})
	mustPut(t, s, session1)
	mustFence(t, s)
	before := size(t, path+"-wal")
	mustRevoke(t, s, logout)
	if after := size(t, path+"-wal"); after <= before {
		t.Errorf("the log has %d bytes after Revoke, %d before", after, before)
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// The process dies: what is in the files is all there is.
func TestKilled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "logoutd.db")
	s := openFile(t, path, Config{SweepInterval: time.Hour})
	mustPut(t, s, session1)
	mustFence(t, s)

	fenced := openFile(t, copyFiles(t, path), Config{})
	if active(t, fenced, session1.ID) {
		t.Error("a fence was lost")
	}
	mustRevoke(t, s, logout)
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
