package deadletters

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// ErrCursor says that a place to continue from is none that a [Page] named.
var ErrCursor = errors.New("not a place in a list of dead letters")

// Config is what a projection is made of.
type Config struct {
	// JetStream is of the broker that keeps the letters.
	JetStream jetstream.JetStream
	// Path names the SQLite file, which is made where it is missing. What
	// stands there and cannot be used is deleted.
	Path string
	// Logger is told what goes wrong in the background. Nil: slog.Default.
	Logger *slog.Logger

	checkEvery time.Duration // other than checkInterval, in tests
}

// checkInterval is how often the projection is compared with the stream, for
// removals that nobody has told it of.
const checkInterval = time.Minute

func (c Config) logger() *slog.Logger { return cmp.Or(c.Logger, slog.Default()) }

func (c Config) checkInterval() time.Duration { return cmp.Or(c.checkEvery, checkInterval) }

// Letters is the projection. It is safe for concurrent use.
type Letters struct {
	config Config

	// using is held for reading by whoever uses file, for writing while the
	// file is made anew.
	using sync.RWMutex
	file  *sqlitex.Pool

	writing sync.Mutex // held during a transaction that writes; taken before using

	state state
	look  chan struct{} // filled: compare with the stream now

	damaged atomic.Bool // a question found the file so
}

// Open opens the projection; it asks no broker.
func Open(c Config) (*Letters, error) {
	l := &Letters{config: c, look: make(chan struct{}, 1)}
	var err error
	if l.file, err = openFile(c.Path); err == nil {
		err = l.restore()
	}
	if err != nil {
		c.logger().Warn("projection of dead letters is made anew", "err", err)
		err = l.anew()
	}
	if err != nil {
		return nil, fmt.Errorf("opening projection of dead letters: %w", err)
	}
	return l, nil
}

// anew puts an empty file in the place of the one there is.
func (l *Letters) anew() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.using.Lock()
	defer l.using.Unlock()
	if l.file != nil {
		_ = l.file.Close() // it may be damaged
	}
	if err := removeFile(l.config.Path); err != nil {
		return err
	}
	opened, err := openFile(l.config.Path)
	if err != nil {
		return err
	}
	l.file = opened
	l.damaged.Store(false)
	return l.restore()
}

// restore reads from the file how far it is.
func (l *Letters) restore() error {
	type restored struct {
		at   place
		held int64
	}
	found, err := readFile(context.Background(), l.file, func(conn *sqlite.Conn) ([]restored, error) {
		return all(conn, func(row *sqlite.Stmt) restored {
			return restored{place{row.ColumnInt64(0), uint64(row.ColumnInt64(1))}, row.ColumnInt64(2)}
		}, `SELECT created, seq, (SELECT COUNT(*) FROM dead_letters) FROM progress`)
	})
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return errors.New("the index does not say how far it is")
	}
	l.state.begin(found[0].at, uint64(found[0].held))
	return nil
}

// Close closes the file, after Run has ended.
func (l *Letters) Close() error {
	l.using.Lock()
	defer l.using.Unlock()
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("closing projection of dead letters: %w", err)
	}
	return nil
}

// Progress returns how far the projection is.
func (l *Letters) Progress() Progress { return l.state.progress() }
