package sqlitestore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/logoutd/logoutd/store"
)

// Config is how a [Store] behaves; its zero value is usable.
type Config struct {
	// Retention is how long a tombstone is kept after the latest expiry of
	// the session and of what is bound to it. Zero: store.DefaultRetention.
	Retention time.Duration
	// Clock is the clock behind the store's, which does not go back with it; see
	// the package comment. Nil: time.Now.
	Clock func() time.Time
	// SweepInterval is how often rows past their time are looked for and
	// deleted. They count as deleted before that. Zero: 10 minutes.
	SweepInterval time.Duration
	// WriteDownInterval is about half of how long a fence may stay in memory
	// when no Revoke writes it. Zero: 15 seconds.
	WriteDownInterval time.Duration
	// Logger is told what goes wrong in the background. Nil: slog.Default.
	Logger *slog.Logger

	chunkRows int  // fewer than defaultChunkRows, in tests
	forgetful bool // remembers no session, in tests
}

func (c Config) retention() int64 {
	return cmp.Or(c.Retention, store.DefaultRetention).Milliseconds()
}

func (c Config) sweepInterval() time.Duration { return cmp.Or(c.SweepInterval, 10*time.Minute) }

func (c Config) writeDownInterval() time.Duration { return cmp.Or(c.WriteDownInterval, 15*time.Second) }

func (c Config) logger() *slog.Logger { return cmp.Or(c.Logger, slog.Default()) }

func (c Config) now() int64 {
	if c.Clock != nil {
		return c.Clock().UnixMilli()
	}
	return time.Now().UnixMilli()
}

const (
	// defaultChunkRows is about how many rows a transaction of Revoke, Finish
	// and the sweeper goes through at most.
	defaultChunkRows = 1000
	// chunkTime is how long such a transaction takes on further requests: a
	// registration that waits for it is to notice little.
	chunkTime = 20 * time.Millisecond
)

func (c Config) chunk() int { return cmp.Or(c.chunkRows, defaultChunkRows) }

// Store is a [store.Store] in a SQLite file.
type Store struct {
	config  Config
	fences  *fences
	writer  *transactor
	fencer  *transactor
	readers chan *conn // those that are idle
	found   recall
	ping    ping

	background sync.WaitGroup
	stop       context.CancelFunc // of what runs in the background

	// A call holds calls for reading, Close for writing.
	calls  sync.RWMutex
	closed bool
}

var _ store.Store = (*Store)(nil)

// Bounds of the page caches, in KiB, and of the readers.
const (
	writerCache = 16_000
	fencerCache = 8_000
	readerCache = 4_000
	readerConns = 3
)

// writeAhead is how many pages the log has when they go into the file. It is
// done by the writer, at a moment when nothing else is written: beside it the
// log would never be empty under load, and grow. Many at once would delay
// whatever else is synced.
const writeAhead = "wal_autocheckpoint(1000)"

// Open opens the store in the file, which is made (mode 0600, its directory
// 0700) if there is none. It does not wait for the data to be read, however
// much there is.
// It is an error if the file was written by a newer logoutd.
//
// Fences that were in memory only when the process died are lost: the
// opener of the store calls Fence for every pending request before it answers
// anything.
func Open(path string, c Config) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	if err := createFile(path); err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	c.Clock = newSteadyClock(c.Clock).now
	s, err := connect(path, c)
	if err != nil {
		return nil, fmt.Errorf("opening the store %s: %w", path, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.background.Go(func() { s.every(ctx, c.sweepInterval(), "deleting expired records failed", s.sweep) })
	s.background.Go(func() { s.every(ctx, c.writeDownInterval(), "writing fences down failed", s.writeDownAged) })
	return s, nil
}

// connect opens the connections, the writing one first, which makes the schema.
func connect(path string, c Config) (*Store, error) {
	f := newFences(c)
	writing, err := openConn(path, c, f, writerCache, "journal_mode(WAL)", "synchronous(FULL)", writeAhead)
	if err != nil {
		return nil, err
	}
	// A copy of the file is complete without the log; where that cannot be had
	// the log keeps what the file lacks.
	writing.last = `PRAGMA wal_checkpoint(TRUNCATE)`
	if err := migrate(writing); err != nil {
		return nil, errors.Join(err, writing.close())
	}
	opened := []*conn{writing}
	for i := range 1 + readerConns {
		cache := readerCache
		if i == 0 {
			cache = fencerCache
		}
		reading, err := openConn(path, c, f, cache, "query_only(1)")
		if err != nil {
			for _, o := range opened {
				err = errors.Join(err, o.close())
			}
			return nil, err
		}
		opened = append(opened, reading)
	}
	s := &Store{config: c, fences: f, readers: make(chan *conn, readerConns), ping: newPing()}
	s.writer, s.fencer = newTransactor(writing, `BEGIN IMMEDIATE`), newTransactor(opened[1], `BEGIN`)
	for _, reading := range opened[2:] {
		s.readers <- reading
	}
	return s, nil
}

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

// Now implements [store.Store].
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	s.calls.RLock()
	defer s.calls.RUnlock()
	if s.closed {
		return time.Time{}, unavailable(errClosed)
	}
	if err := ctx.Err(); err != nil {
		return time.Time{}, unavailable(err)
	}
	return fromMillis(s.config.now()), nil
}

// Close implements [store.Store]. It writes down what is fenced in memory.
func (s *Store) Close() error {
	s.stop()
	s.background.Wait()
	s.calls.Lock()
	defer s.calls.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	// What callers have left to the writer can still fence: it comes first.
	err := errors.Join(s.fencer.close(), s.writer.do(context.Background(), 0, func(handle) error { return nil }))
	err = errors.Join(err, s.writeDownAll(context.Background(), s.fences.all()))
	for range readerConns {
		err = errors.Join(err, (<-s.readers).close())
	}
	if err := errors.Join(err, s.writer.close()); err != nil {
		return fmt.Errorf("closing the store: %w", err)
	}
	return nil
}

// every does the work at each interval until ctx ends.
func (s *Store) every(ctx context.Context, interval time.Duration, failed string, work func(context.Context) error) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := work(ctx); err != nil && ctx.Err() == nil {
			s.config.logger().ErrorContext(ctx, failed, "err", err)
		}
	}
}
