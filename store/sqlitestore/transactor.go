package sqlitestore

import (
	"context"
	"errors"

	"github.com/logoutd/logoutd/internal/batcher"
)

// groupItems is how many items a transaction takes before the rest waits for the
// next one.
const groupItems = 1000

// job is the part of one call in a transaction.
type job struct {
	ctx   context.Context
	items int
	run   func(handle) error // an error fails the whole transaction
	gone  error              // why it was not run: its caller had gone
}

// transactor runs jobs on its own connection, in batches, each in one transaction.
// There are two: one writes, and one looks up the sessions to fence.
type transactor struct {
	conn    *conn
	begin   string // the statement that begins a transaction
	batcher *batcher.Batcher[*job]
	// before, if set, is called before each transaction, which it may fail.
	// Tests watch and break off here.
	before func() error
}

func newTransactor(c *conn, begin string) *transactor {
	t := &transactor{conn: c, begin: begin}
	t.batcher = batcher.New(batcher.Config[*job]{
		Do: func(batch []*job, _ func()) error { return t.transact(batch) },
		Take: func(waiting []*job) (n int) {
			for items := 0; n < len(waiting) && items < groupItems; n++ {
				items += waiting[n].items
			}
			return n
		},
	})
	return t
}

// close runs what is queued, and closes the connection.
func (t *transactor) close() error {
	t.batcher.Close()
	return t.conn.close()
}

// do runs the job in a transaction, and returns when that is committed. If
// the context ends first, the job may still be done later.
func (t *transactor) do(ctx context.Context, items int, run func(handle) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{ctx: ctx, items: items, run: run}
	switch err := t.batcher.Do(ctx, j); {
	case errors.Is(err, batcher.ErrClosed):
		return errClosed
	case err != nil:
		return err
	}
	return j.gone
}

// transact runs the group in one transaction.
func (t *transactor) transact(group []*job) error {
	if t.before != nil {
		if err := t.before(); err != nil {
			return err
		}
	}
	return t.conn.transact(t.begin, func(h handle) error {
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
