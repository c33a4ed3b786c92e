package deadletters

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed schema/tables.sql
var tables string

//go:embed schema/indexes.sql
var indexes string

// version is the schema's. A file of another one is not migrated but made anew.
const version = 3

// readers is how many questions are answered at the same time.
const readers = 3

// inMemory keeps what is sorted out of temporary files: a container may have
// no place for them.
const inMemory = "temp_store(MEMORY)"

// file is an open SQLite file.
type file struct {
	write *sql.DB // one connection
	read  *sql.DB
}

// openFile opens a file of this version; one that is missing is made.
func openFile(path string) (*file, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := createFile(path); err != nil {
		return nil, err
	}
	f := &file{}
	if f.write, err = openDB(path, 1, "journal_mode(WAL)", "synchronous(NORMAL)", "cache_size(-64000)", inMemory); err != nil {
		return nil, err
	}
	if f.read, err = openDB(path, readers, "query_only(1)", "cache_size(-16000)", inMemory); err != nil {
		return nil, errors.Join(err, f.write.Close())
	}
	if err := f.prepare(); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

// createFile makes an empty file before SQLite does, which would let others
// read it.
func createFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func openDB(path string, conns int, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_pragma": append([]string{"busy_timeout(5000)"}, pragmas...)}
	u := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// prepare makes the tables of an empty file, and refuses another version.
func (f *file) prepare() error {
	found, held := 0, 0
	err := f.write.QueryRow(`SELECT user_version, (SELECT COUNT(*) FROM sqlite_schema) FROM pragma_user_version`).Scan(&found, &held)
	switch {
	case err != nil:
		return err
	case found == version:
		return nil
	case found != 0 || held != 0:
		return fmt.Errorf("schema version %d instead of %d", found, version)
	}
	return f.transact(context.Background(), func(tx *sql.Tx) error {
		_, err := tx.Exec(tables + fmt.Sprintf("PRAGMA user_version = %d", version))
		return err
	})
}

func (f *file) transact(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := f.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (f *file) close() error { return errors.Join(f.read.Close(), f.write.Close()) }

// removeFile deletes a closed file and what SQLite keeps beside it.
func removeFile(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// damaged reports whether err means that a file is no use any more.
func damaged(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return false
	}
	code := e.Code() & 0xff
	return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
}
