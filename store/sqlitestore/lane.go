package sqlitestore

import (
	"context"
	"errors"

	"github.com/logoutd/logoutd/internal/batcher"
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
}

// lane runs jobs on a connection of its own, in batches, each in a transaction.
// There are two: the one that writes, and the one that looks up what is to be
// fenced.
type lane struct {
	conn    *conn
	begin   string // the statement that begins a transaction
	batcher *batcher.Batcher[*job]
	// before, if set, is called before each transaction, which it may fail.
	// Tests watch and break off here.
	before func() error
}

func startLane(c *conn, begin string) *lane {
	l := &lane{conn: c, begin: begin}
	l.batcher = batcher.New(batcher.Config[*job]{
		Do: func(batch []*job, _ func()) error { return l.transact(batch) },
		Take: func(waiting []*job) (n int) {
			for items := 0; n < len(waiting) && items < groupItems; n++ {
				items += waiting[n].items
			}
			return n
		},
	})
	return l
}

// close does what is queued, and ends the lane and its connection.
func (l *lane) close() error {
	l.batcher.Close()
	return l.conn.close()
}

// do runs the job in a transaction, and returns when that is committed. If
// the context ends first, the job may still be done later.
func (l *lane) do(ctx context.Context, items int, run func(handle) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{ctx: ctx, items: items, run: run}
	switch err := l.batcher.Do(ctx, j); {
	case errors.Is(err, batcher.ErrClosed):
		return errClosed
	case err != nil:
		return err
	}
	return j.gone
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
