package sqlitestore

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/logoutd/logoutd/store"
)

func TestFileModes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data", "of #1? 100%")
	path := filepath.Join(dir, "logoutd.db")
	s := openFile(t, path, Config{})
	mustPut(t, s, session1)
	got := map[string]fs.FileMode{}
	for _, name := range []string{filepath.Dir(dir), dir, path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.Base(name)] = info.Mode().Perm()
	}
	want := map[string]fs.FileMode{
		"data": 0o700, "of #1? 100%": 0o700, "logoutd.db": 0o600, "logoutd.db-wal": 0o600, "logoutd.db-shm": 0o600,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modes (-want +got):\n%s", diff)
	}
}

func TestReopen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "logoutd.db")
	s := openFile(t, path, Config{})
	other := session1
	other.ID = store.TokenID("other")
	mustPut(t, s, session1, other)
	mustFence(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		t.Errorf("%d bytes are left in the log: a copy of the file lacks them", log.Size())
	}
	s = openFile(t, path, Config{})
	if active(t, s, session1.ID) || !active(t, s, other.ID) {
		t.Error("the reopened store is not what it was")
	}
	if told := mustRevoke(t, s, logout); told.Sessions != 1 || told.Done {
		t.Errorf("told of %+v", told)
	}
}

func TestOpenRefusesNewerSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "logoutd.db")
	s := openFile(t, path, Config{SweepInterval: time.Hour})
	if _, err := fileOf(t, s).Exec(`PRAGMA user_version = 99`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(path, Config{}); err == nil {
		t.Error("opened a store of a newer version", s.Close())
	} else if !strings.Contains(err.Error(), "newer logoutd") {
		t.Errorf("got error %q", err)
	}
}

func TestOpenRefusesOtherFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(path, Config{}); err == nil {
		t.Error("opened a text file", s.Close())
	}
}
