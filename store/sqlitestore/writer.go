package sqlitestore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// lane says what a transaction promises when it is committed.
type lane int

const (
	quick   lane = iota // synchronous=NORMAL: a power failure may undo it
	durable             // synchronous=FULL: on disk
)

// groupItems is how many items of calls a transaction takes before the rest
// must wait for the next one.
const groupItems = 1000

// job is the part of one call in a transaction.
type job struct {
	ctx   context.Context
	items int
	run   func(handle) error // an error fails the whole transaction
	gone  error              // why it was not run: its caller had gone
	done  chan error         // buffered, for the same reason
}

// writer commits jobs, in groups: whatever arrives while one transaction is
// under way goes into the next one of its lane, and the lanes take turns. It
// has the only connection that writes.
type writer struct {
	config     Config
	db         *sql.DB
	conn       *sql.Conn
	statements *statements
	stopped    chan struct{}
	// before, if set, is called before each transaction, which it may fail.
	// Tests watch and break off here.
	before func(lane) error

	mu     sync.Mutex
	queued *sync.Cond // a job has come, or closing
	lanes  [2][]*job
	closed bool

	// Only the writing goroutine uses these.
	last   lane
	synced lane
	fenced int64 // when the latest transaction of the quick lane was
}

func openWriter(path string, c Config) (*writer, error) {
	ctx := context.Background()
	db, err := sql.Open("sqlite", dsn(path, "journal_mode(WAL)", "synchronous(NORMAL)"))
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := migrate(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close(), db.Close())
	}
	w := &writer{config: c, db: db, conn: conn, statements: newStatements(conn.PrepareContext), stopped: make(chan struct{})}
	w.queued = sync.NewCond(&w.mu)
	go w.work()
	return w, nil
}

// close commits what is queued and ends the writer.
func (w *writer) close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.queued.Signal()
	<-w.stopped
	// What is in the write-ahead log goes into the file, so that a copy of the
	// file is complete; where that fails the log keeps it.
	_, _ = w.conn.ExecContext(context.Background(), `PRAGMA wal_checkpoint(TRUNCATE)`)
	return errors.Join(w.conn.Close(), w.db.Close())
}

// do runs the job in a transaction, and returns when that is committed. If
// the context ends first, the job may still be done later.
func (w *writer) do(ctx context.Context, l lane, items int, run func(handle) error) error {
	j := &job{ctx: ctx, items: items, run: run, done: make(chan error, 1)}
	w.mu.Lock()
	closed := w.closed
	if !closed {
		w.lanes[l] = append(w.lanes[l], j)
	}
	w.mu.Unlock()
	if closed {
		return errClosed
	}
	w.queued.Signal()
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) work() {
	defer close(w.stopped)
	for {
		l, group := w.next()
		if group == nil {
			return
		}
		err := w.transact(l, group)
		for _, j := range group {
			j.done <- cmp.Or(err, j.gone)
		}
	}
}

// next waits for jobs and takes a group of them; nil means that the writer is
// closed and everything was taken.
func (w *writer) next() (lane, []*job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.lanes[quick])+len(w.lanes[durable]) == 0 {
		if w.closed {
			return 0, nil
		}
		w.queued.Wait()
	}
	l := 1 - w.last
	if len(w.lanes[l]) == 0 {
		l = w.last
	}
	w.last = l
	n, items := 0, 0
	for n < len(w.lanes[l]) && items < groupItems {
		items += w.lanes[l][n].items
		n++
	}
	group := w.lanes[l][:n:n]
	w.lanes[l] = w.lanes[l][n:]
	return l, group
}

// transact runs the group in one transaction.
func (w *writer) transact(l lane, group []*job) error {
	if w.before != nil {
		if err := w.before(l); err != nil {
			return err
		}
	}
	h := handle{statements: w.statements, ctx: context.Background(), now: w.config.now(), retention: w.config.retention()}
	if l == quick {
		w.fenced = h.now
	}
	h.next = max(h.now, w.fenced+1)
	if err := w.begin(h, l); err != nil {
		return err
	}
	for _, j := range group {
		if j.gone = j.ctx.Err(); j.gone != nil {
			continue
		}
		if err := j.run(h); err != nil {
			return w.rollback(h, err)
		}
	}
	if _, err := h.exec(`COMMIT`); err != nil {
		return w.rollback(h, fmt.Errorf("committing: %w", err))
	}
	return nil
}

// begin begins a transaction that keeps the promise of its lane. A fence must
// be fast and is repeated if it was lost; what the revoker commits lets it
// acknowledge the request for good, and a registration is lost for good too.
func (w *writer) begin(h handle, l lane) error {
	if l != w.synced {
		if _, err := h.exec([...]string{quick: `PRAGMA synchronous = NORMAL`, durable: `PRAGMA synchronous = FULL`}[l]); err != nil {
			return err
		}
		w.synced = l
	}
	_, err := h.exec(`BEGIN IMMEDIATE`)
	return err
}

// rollback undoes the transaction, which SQLite may have done by itself.
func (w *writer) rollback(h handle, cause error) error {
	_, _ = h.exec(`ROLLBACK`)
	return cause
}
