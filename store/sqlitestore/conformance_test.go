package sqlitestore

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, storetest.Backend{
		Open: func(t *testing.T, o storetest.Options) store.Store {
			return open(t, Config{Retention: o.Retention})
		},
		Down: func(t *testing.T) store.Store {
			s := open(t, Config{})
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return s
		},
		Breakable:    breakable,
		IndexEntries: indexEntries,
		Damage:       damage,
	})
}

// open opens a store in a directory of its own.
func open(t testing.TB, c Config) *Store {
	t.Helper()
	return openFile(t, filepath.Join(t.TempDir(), "store", "logoutd.db"), c)
}

func openFile(t testing.TB, path string, c Config) *Store {
	t.Helper()
	if c.SweepInterval == 0 {
		c.SweepInterval = 50 * time.Millisecond
	}
	s, err := Open(path, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// breakable breaks between transactions, each of which marks two rows only.
func breakable(t *testing.T) (store.Store, func(int)) {
	var left atomic.Int64
	left.Store(-1)
	s := open(t, Config{SweepInterval: time.Hour, chunkRows: 2})
	s.writer.before = func(lane) error {
		if n := left.Load(); n > 0 {
			left.Add(-1)
		} else if n == 0 {
			return errors.New("the disk has gone")
		}
		return nil
	}
	return s, func(n int) { left.Store(int64(n)) }
}

func indexEntries(t *testing.T, s store.Store, u store.User) []string {
	var left []string
	err := s.(*Store).read(t.Context(), func(h handle) error {
		for _, table := range []string{"sessions", "refresh_tokens", "push_registrations"} {
			var n int
			_, err := h.row(`SELECT count(*) FROM `+table+` WHERE tenant_id = ? AND user_id = ?`, []any{u.TenantID, u.ID}, &n)
			if err != nil {
				return err
			}
			if n > 0 {
				left = append(left, fmt.Sprintf("%s: %d", table, n))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return left
}

// damage makes SQLite refuse to change the row of a session.
func damage(t *testing.T, s store.Store, sessionID string) {
	err := s.(*Store).write(t.Context(), durable, 1, func(h handle) error {
		_, err := h.exec(`CREATE TRIGGER damaged BEFORE UPDATE ON sessions WHEN old.id = '` + sessionID + `'
			BEGIN SELECT RAISE(ABORT, 'damaged'); END`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
