package redisstore

import (
	"cmp"
	"context"

	"golang.org/x/sync/errgroup"
)

const (
	// chunkSize is how many items, or records that they name, share a pipeline
	// at most.
	chunkSize = 150
	// abreast is how many pipelines are on their way at a time. Redis reads some
	// 20 KB of a connection, does that, and syncs: what has come on others
	// meanwhile shares the sync.
	abreast = 4
)

// item is a part of a batch, which may fail by itself.
type item interface {
	failure() error
	fail(error)
	weight() int // as chunkSize counts
}

// itemError is embedded in items.
type itemError struct{ err error }

func (e *itemError) failure() error { return e.err }
func (e *itemError) fail(err error) { e.err = err }
func (e *itemError) weight() int    { return 1 }

// stage queues the commands of one item and returns what reads their replies,
// nil where the item needs none. The error it returns is the item's.
type stage[I item] func(ctx context.Context, p *pipe, it I) (read func() error)

// run takes the items through the stages, each stage in one round trip (per
// row of chunks). An item that has failed takes no further part.
func run[I item](ctx context.Context, s *Store, items []I, stages ...stage[I]) error {
	for _, stage := range stages {
		for left := items; len(left) > 0; {
			var row []*chunk[I]
			for len(row) < abreast && len(left) > 0 {
				n := together(left)
				row = append(row, newChunk(ctx, s, left[:n], stage))
				left = left[n:]
			}
			if err := runAbreast(ctx, s, row); err != nil {
				return err
			}
		}
	}
	return nil
}

// together returns how many of the items make a chunk, one at least.
func together[I item](items []I) (n int) {
	for weight := items[0].weight(); weight <= chunkSize; weight += items[n].weight() {
		if n++; n == len(items) {
			return n
		}
	}
	return max(n, 1)
}

// chunk is items that share a pipeline.
type chunk[I item] struct {
	*pipe
	items []I
	reads []func() error // of each item, or nil
}

func newChunk[I item](ctx context.Context, s *Store, items []I, stage stage[I]) *chunk[I] {
	c := &chunk[I]{pipe: s.pipe(), items: items, reads: make([]func() error, len(items))}
	for i, it := range items {
		if it.failure() == nil {
			c.reads[i] = stage(ctx, c.pipe, it)
		}
	}
	return c
}

// read hands the items their replies.
func (c *chunk[I]) read() {
	for i, read := range c.reads {
		if read == nil {
			continue
		}
		if err := read(); err != nil {
			c.items[i].fail(err)
		}
	}
}

// runAbreast sends chunks at the same time, and reads when all have come back:
// items of different chunks may share what they write to.
func runAbreast[I item](ctx context.Context, s *Store, row []*chunk[I]) error {
	var others errgroup.Group
	for _, c := range row[1:] {
		others.Go(func() error { return s.exec(ctx, c.pipe) })
	}
	err := s.exec(ctx, row[0].pipe)
	if err = cmp.Or(err, others.Wait()); err != nil {
		return err
	}
	for _, c := range row {
		c.read()
	}
	return nil
}

// waves splits a batch so that items which touch the same thing come one
// after another, in order.
func waves[T any](batch []T, touches func(T) []string) [][]T {
	var split [][]T
	next := map[string]int{}
	for _, it := range batch {
		wave := 0
		for _, name := range touches(it) {
			wave = max(wave, next[name])
		}
		for _, name := range touches(it) {
			next[name] = wave + 1
		}
		if wave == len(split) {
			split = append(split, nil)
		}
		split[wave] = append(split[wave], it)
	}
	return split
}
