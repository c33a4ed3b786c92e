package deadletters

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitemigration"
	"zombiezen.com/go/sqlite/sqlitex"
)

//go:embed schema.sql
var schema string

// applicationID marks the files of this schema; every change of the schema
// changes it. A file with another one is replaced by an empty file.
const applicationID = 0x6c6f6404

// connections is how many queries are answered at the same time, the writer
// counted.
const connections = 4

// openFile opens a file of this schema; a missing one is created.
func openFile(path string) (*sqlitex.Pool, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := createFile(path); err != nil {
		return nil, err
	}
	pool, err := sqlitex.NewPool(path, sqlitex.PoolOptions{
		Flags: sqlite.OpenReadWrite | sqlite.OpenWAL, PoolSize: connections, PrepareConn: prepare,
	})
	if err != nil {
		return nil, err
	}
	if err := migrate(pool); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return pool, nil
}

// prepare sets up a connection. Sorting is done in memory: a container can be
// without a writable directory for temporary files.
func prepare(conn *sqlite.Conn) error {
	for _, pragma := range []string{`synchronous = NORMAL`, `cache_size = -16000`, `temp_store = MEMORY`} {
		if err := sqlitex.ExecuteTransient(conn, `PRAGMA `+pragma, nil); err != nil {
			return err
		}
	}
	return nil
}

func migrate(pool *sqlitex.Pool) error {
	ctx := context.Background()
	conn, err := pool.Take(ctx)
	if err != nil {
		return err
	}
	defer pool.Put(conn)
	return sqlitemigration.Migrate(ctx, conn, sqlitemigration.Schema{AppID: applicationID, Migrations: []string{schema}})
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

// removeFile deletes a closed file and the files that SQLite keeps beside it.
func removeFile(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// damaged reports whether err means that the file cannot be used any more.
func damaged(err error) bool {
	code := sqlite.ErrCode(err).ToPrimary()
	return err != nil && (code == sqlite.ResultCorrupt || code == sqlite.ResultNotADB)
}

// read answers a question from one state of the file.
func read[T any](ctx context.Context, l *Letters, ask func(*sqlite.Conn) (T, error)) (T, error) {
	l.using.RLock()
	defer l.using.RUnlock()
	answer, err := readFile(ctx, l.file, ask)
	if damaged(err) {
		l.damaged.Store(true)
		l.nudge()
	}
	if err != nil {
		return answer, fmt.Errorf("reading index of dead letters: %w", errors.Join(ctx.Err(), err))
	}
	return answer, nil
}

func readFile[T any](ctx context.Context, file *sqlitex.Pool, ask func(*sqlite.Conn) (T, error)) (answer T, err error) {
	conn, err := file.Take(ctx)
	if err != nil {
		return answer, err
	}
	defer file.Put(conn)
	defer sqlitex.Transaction(conn)(&err)
	return ask(conn)
}

// write changes the file in a transaction. do returns by how many dead letters
// it grows.
func (l *Letters) write(ctx context.Context, do func(*sqlite.Conn) (grown int, err error)) (grown int, err error) {
	l.using.RLock()
	defer l.using.RUnlock()
	conn, err := l.file.Take(ctx)
	if err == nil {
		defer l.file.Put(conn)
		var end func(*error)
		if end, err = sqlitex.ImmediateTransaction(conn); err == nil {
			grown, err = do(conn)
			end(&err)
		}
	}
	if err != nil {
		return 0, fmt.Errorf("writing index of dead letters: %w", err)
	}
	return grown, nil
}
