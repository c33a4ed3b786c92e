package deadletters_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/broker/embedded"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// inode tells files apart.
func (w *world) inode() os.FileInfo {
	w.Helper()
	info, err := os.Stat(w.config.Path)
	if err != nil {
		w.Fatal(err)
	}
	return info
}

func TestContinuesWhereItWas(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putMany(0, 6)
	w.settle()
	w.close()
	before := w.inode()
	w.putMany(6, 8)
	w.remove(2, 7)
	w.open()
	w.settle()
	w.wantHeld(1, 3, 4, 5, 6, 8)
	if !os.SameFile(before, w.inode()) {
		t.Error("the file was made anew")
	}
}

func TestMakesAnewWhatCannotBeUsed(t *testing.T) {
	t.Parallel()
	statement := func(text string) func(*world) error {
		return func(w *world) error {
			conn, err := sqlite.OpenConn(w.config.Path, sqlite.OpenReadWrite)
			if err != nil {
				return err
			}
			return errors.Join(sqlitex.ExecuteTransient(conn, text, nil), conn.Close())
		}
	}
	for name, breaks := range map[string]func(*world) error{
		"missing": func(w *world) error { return os.Remove(w.config.Path) },
		"no database": func(w *world) error {
			return os.WriteFile(w.config.Path, bytes.Repeat([]byte("garbage "), 1000), 0o600)
		},
		"empty":          func(w *world) error { return os.Truncate(w.config.Path, 0) },
		"cut":            func(w *world) error { return os.Truncate(w.config.Path, 5000) },
		"another schema": statement(`PRAGMA application_id = 99`),
		"newer version":  statement(`PRAGMA user_version = 99`),
		"of another":     statement(`PRAGMA user_version = 0`),
		"no progress":    statement(`DELETE FROM progress`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.putMany(0, 6)
			w.settle()
			w.close()
			if err := breaks(w); err != nil {
				t.Fatal(err)
			}
			w.open()
			w.settle()
			w.wantHeld(1, 2, 3, 4, 5, 6)
		})
	}
}

func TestNewFileIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(w.config.Path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", suffix, mode)
		}
	}
}

// A page that only questions read.
func TestDamageThatQuestionsFindIsMended(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putMany(0, 300)
	w.settle()
	w.close()
	file, err := os.OpenFile(w.config.Path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	size, err := file.Seek(0, 2)
	if err != nil {
		t.Fatal(err)
	}
	for at := int64(4096); at < size; at += 4096 { // all but the schema
		if _, err := file.WriteAt(bytes.Repeat([]byte{0xff}, 100), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.until("it is mended", func() bool {
		n := 0
		err := w.Select(context.Background(), deadletters.Filter{}, func(deadletters.Letter) error { n++; return nil })
		return err == nil && n == 300
	})
}

func TestFollowsStreamThatWasMadeAnew(t *testing.T) {
	t.Parallel()
	for name, running := range map[string]bool{"while running": true, "while down": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.putMany(0, 6)
			w.settle()
			if !running {
				w.close()
			}
			if err := w.broker.JS.DeleteStream(t.Context(), messages.StreamFailed); err != nil {
				t.Fatal(err)
			}
			if err := broker.Setup(t.Context(), w.broker.JS); err != nil {
				t.Fatal(err)
			}
			w.putMany(10, 18) // more than before: places alone do not tell
			if !running {
				w.open()
			}
			w.settle()
			if got := w.list(deadletters.Filter{}, 10); len(got) != 8 || got[7] != letter(10).ID {
				t.Errorf("letters %v, want those of the new stream", got)
			}
		})
	}
}

// A stream from a backup is the same, but shorter.
func TestStreamThatIsShorterThanItWas(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putMany(0, 3)
	w.settle()
	w.close()
	l, err := deadletters.Open(w.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Put([]deadletters.Letter{{Seq: 7, ID: "lost", Step: "revoke", FailedAt: noon}}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.settle()
	w.wantHeld(1, 2, 3)
}

func TestSurvivesRestartOfBroker(t *testing.T) {
	t.Parallel()
	server, err := embedded.Start(embedded.Config{Dir: t.TempDir(), Listen: "-"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	js := eventstest.Connect(t, server)
	w := over(t, js)
	w.putMany(0, 3)
	w.settle()
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	w.until("the broker is back", func() bool {
		_, err := js.PublishMsg(t.Context(), message(t, letter(3)))
		return err == nil
	})
	w.until("it follows again", func() bool { return len(w.held()) == 4 })
}

// Before the streams are set up there is nothing to follow yet.
func TestWaitsForTheStream(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.close()
	if err := w.broker.JS.DeleteStream(t.Context(), messages.StreamFailed); err != nil {
		t.Fatal(err)
	}
	w.open()
	if err := w.Settled(t.Context()); err == nil || w.Progress().Ready {
		t.Errorf("settled (%v), ready %t, without a stream", err, w.Progress().Ready)
	}
	if err := broker.Setup(t.Context(), w.broker.JS); err != nil {
		t.Fatal(err)
	}
	w.putMany(0, 1)
	w.until("it follows", func() bool { n, err := w.Count(t.Context(), deadletters.Filter{}); return err == nil && n == 1 })
}

func TestFileHoldsNoCredential(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putMany(0, 50)
	w.settle()
	for _, suffix := range []string{"", "-wal"} {
		held, err := os.ReadFile(w.config.Path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(held, []byte("the-push-token")) {
			t.Errorf("the push token stands in letters.db%s", suffix)
		}
	}
}

func TestProgressOfRebuild(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.close()
	w.putMany(0, 20)
	w.open()
	w.until("it is ready", func() bool {
		p := w.Progress()
		if p.Done > p.Total || p.Total > 20 {
			t.Fatalf("progress %+v of 20", p)
		}
		return p.Ready
	})
	if p := w.Progress(); p.Done != 20 || p.Total != 20 {
		t.Errorf("progress %+v, want all 20", p)
	}
	w.close()
	w.open()
	w.until("it is ready again", func() bool { return w.Progress().Ready })
}
