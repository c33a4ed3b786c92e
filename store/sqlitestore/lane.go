package sqlitestore

import (
	"cmp"
	"context"
	"runtime"
	"sync"
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

// lane runs jobs on a connection of its own, in groups: whatever arrives while
// one transaction is under way goes into the next one. There are two: the one
// that writes, and the one that looks up what is to be fenced.
type lane struct {
	conn    *conn
	begin   string // the statement that begins a transaction
	stopped chan struct{}
	// before, if set, is called before each transaction, which it may fail.
	// Tests watch and break off here.
	before func() error

	mu     sync.Mutex
	queued *sync.Cond // a job has come, or closing
	jobs   []*job
	closed bool
}

func startLane(c *conn, begin string) *lane {
	l := &lane{conn: c, begin: begin, stopped: make(chan struct{})}
	l.queued = sync.NewCond(&l.mu)
	go l.work()
	return l
}

// close does what is queued, and ends the lane and its connection.
func (l *lane) close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.queued.Signal()
	<-l.stopped
	return l.conn.close()
}

// do runs the job in a transaction, and returns when that is committed. If
// the context ends first, the job may still be done later.
func (l *lane) do(ctx context.Context, items int, run func(handle) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{ctx: ctx, items: items, run: run, done: make(chan error, 1)}
	l.mu.Lock()
	closed := l.closed
	if !closed {
		l.jobs = append(l.jobs, j)
	}
	l.mu.Unlock()
	if closed {
		return errClosed
	}
	l.queued.Signal()
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *lane) work() {
	defer close(l.stopped)
	for group := l.next(); group != nil; group = l.next() {
		err := l.transact(group)
		for _, j := range group {
			j.done <- cmp.Or(err, j.gone)
		}
	}
}

// next waits for jobs and takes a group of them; nil means that the lane is
// closed and everything was taken.
func (l *lane) next() []*job {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.jobs) == 0 {
		if l.closed {
			return nil
		}
		l.queued.Wait()
	}
	l.mu.Unlock()
	runtime.Gosched() // whoever is about to come joins
	l.mu.Lock()
	n, items := 0, 0
	for n < len(l.jobs) && items < groupItems {
		items += l.jobs[n].items
		n++
	}
	group := l.jobs[:n:n]
	l.jobs = l.jobs[n:]
	return group
}

// transact runs the group in one transaction.
func (l *lane) transact(group []*job) error {
	if l.before != nil {
		if err := l.before(); err != nil {
			return err
		}
	}
	return l.conn.transact(l.begin, func(h handle) error {
		for _, j := range group {
			if j.gone = j.ctx.Err(); j.gone != nil {
				continue
			}
			if err := j.run(h); err != nil {
				return err
			}
		}
		return nil
	})
}
