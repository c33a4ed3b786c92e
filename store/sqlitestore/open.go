package sqlitestore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/logoutd/logoutd/store"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Config is how a [Store] behaves; its zero value is usable.
type Config struct {
	// Retention is how long a tombstone is kept after the latest expiry of
	// the session and of what is bound to it. Zero: store.DefaultRetention.
	Retention time.Duration
	// Clock is the store's clock. Nil: time.Now.
	Clock func() time.Time
	// SweepInterval is how often rows past their time are deleted. Zero: a
	// minute.
	SweepInterval time.Duration
	// Logger is told what goes wrong in the background. Nil: slog.Default.
	Logger *slog.Logger

	chunkRows int // fewer than defaultChunkRows, in tests
}

func (c Config) retention() int64 {
	return cmp.Or(c.Retention, store.DefaultRetention).Milliseconds()
}

func (c Config) sweepInterval() time.Duration { return cmp.Or(c.SweepInterval, time.Minute) }

func (c Config) logger() *slog.Logger { return cmp.Or(c.Logger, slog.Default()) }

func (c Config) now() int64 {
	if c.Clock != nil {
		return c.Clock().UnixMilli()
	}
	return time.Now().UnixMilli()
}

const (
	// defaultChunkRows is about how many rows a transaction of Revoke, Finish
	// and the sweeper changes at most, which takes a few milliseconds.
	defaultChunkRows = 500
	// chunkTime is how long such a transaction takes on further requests: a
	// fence that waits for it has 50 ms in all.
	chunkTime = 4 * time.Millisecond
)

func (c Config) chunk() int { return cmp.Or(c.chunkRows, defaultChunkRows) }

// Store is a [store.Store] in a SQLite file.
type Store struct {
	config  Config
	writer  *writer
	readers *statements
	pool    *sql.DB // of the readers
	sweeper *sweeper

	// A call holds calls for reading, Close for writing.
	calls  sync.RWMutex
	closed bool
}

var _ store.Store = (*Store)(nil)

// Open opens the store in the file, which is made (mode 0600, its directory
// 0700) if there is none. It does not read the data, however much there is.
// It is an error if the file was written by a newer logoutd.
func Open(path string, c Config) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	if err := createFile(path); err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	w, err := openWriter(path, c)
	if err != nil {
		return nil, fmt.Errorf("opening the store %s: %w", path, err)
	}
	pool, err := sql.Open("sqlite", dsn(path, "query_only(1)"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the store %s: %w", path, err), w.close())
	}
	pool.SetMaxOpenConns(readerConns)
	pool.SetMaxIdleConns(readerConns)
	s := &Store{config: c, writer: w, readers: newStatements(pool.PrepareContext), pool: pool}
	s.sweeper = startSweeper(s)
	return s, nil
}

// readerConns bounds what the page caches of the readers take.
const readerConns = 4

// createFile makes an empty file before SQLite does, which would let others
// read it; the files beside it (-wal, -shm) get the same mode.
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

// dsn names the file to the driver. busy_timeout is for other programs, such
// as a backup: within the process there is one writer.
func dsn(path string, pragmas ...string) string {
	q := url.Values{"_pragma": append([]string{"busy_timeout(5000)", "cache_size(-16000)"}, pragmas...)}
	u := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: q.Encode()}
	return u.String()
}

// Ping implements [store.Store].
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, func(h handle) error {
		var one int
		_, err := h.row(`SELECT 1 FROM revoker`, nil, &one)
		return err
	})
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.sweeper.stop()
	s.calls.Lock()
	defer s.calls.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if err := errors.Join(s.pool.Close(), s.writer.close()); err != nil {
		return fmt.Errorf("closing the store: %w", err)
	}
	return nil
}
