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
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// A session is fenced from memory, or looked up where it is not remembered:
// nobody can tell which.
func TestConformance(t *testing.T) {
	t.Run("remembering", func(t *testing.T) { conformance(t, Config{}) })
	t.Run("forgetful", func(t *testing.T) { conformance(t, Config{forgetful: true}) })
}

func conformance(t *testing.T, c Config) {
	t.Parallel()
	storetest.Run(t, storetest.Backend{
		Open: func(t *testing.T, o storetest.Options) store.Store {
			c := c
			c.Retention = o.Retention
			return open(t, c)
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
		Age:          age,
		SetTime:      setTime,
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
	s.writer.before = func() error {
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
		for _, table := range []string{"credentials", "push_registrations"} {
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

// damage leaves a session with an expiry that cannot be read. The schema keeps
// that from happening, so it is changed for a moment.
func damage(t *testing.T, s store.Store, sessionID string) {
	t.Helper()
	file := fileOf(t, s.(*Store))
	for _, statement := range []string{
		`PRAGMA writable_schema = ON`,
		`UPDATE sqlite_schema SET sql = replace(sql, 'STRICT, ', '') WHERE name = 'credentials'`,
		`PRAGMA writable_schema = RESET`,
		`UPDATE credentials SET expires_at = 'never' WHERE session_id = '` + sessionID + `'`,
	} {
		if _, err := file.Exec(statement); err != nil {
			t.Fatal(statement, err)
		}
	}
	s.(*Store).fences.forget(sessionID) // as after a restart
}

func age(t *testing.T, s store.Store, session store.Session, by time.Duration) {
	t.Helper()
	_, err := fileOf(t, s.(*Store)).Exec(`
		UPDATE credentials SET authenticated_at = authenticated_at - ?1, expires_at = expires_at - ?1, keep_until = keep_until - ?1
		WHERE session_id = ?2 AND token_id = ''`, by.Milliseconds(), session.ID)
	if err != nil {
		t.Fatal(err)
	}
	s.(*Store).fences.forget(session.ID) // as after a restart
}

func setTime(t *testing.T, s store.Store, of any, at time.Time) {
	t.Helper()
	query, id := "", ""
	switch of := of.(type) {
	case store.Session:
		query, id = `UPDATE credentials SET authenticated_at = ? WHERE session_id = ? AND token_id = ''`, of.ID
	case store.RefreshToken:
		query, id = `UPDATE credentials SET authenticated_at = ? WHERE token_id = ?`, of.ID
	case store.PushRegistration:
		query, id = `UPDATE push_registrations SET registered_at = ? WHERE id = ?`, of.ID
	}
	if _, err := fileOf(t, s.(*Store)).Exec(query, at.UnixMilli(), id); err != nil {
		t.Fatal(err)
	}
	s.(*Store).fences.forget(id) // as after a restart
}

// fileOf opens the file of a store beside it.
func fileOf(t *testing.T, s *Store) otherProgram {
	t.Helper()
	var path string
	err := s.read(t.Context(), func(h handle) error {
		_, err := h.row(`SELECT file FROM pragma_database_list WHERE name = 'main'`, nil, &path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetBusyTimeout(busyTimeout) // the store writes too
	t.Cleanup(func() { _ = conn.Close() })
	return otherProgram{conn}
}

// otherProgram is a connection of another program that has the file open.
type otherProgram struct{ conn *sqlite.Conn }

// Exec runs a statement, and returns how many rows it changed.
func (o otherProgram) Exec(statement string, args ...any) (int, error) {
	err := sqlitex.ExecuteTransient(o.conn, statement, &sqlitex.ExecOptions{Args: args})
	return o.conn.Changes(), err
}
