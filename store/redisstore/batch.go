package redisstore

import "context"

// chunkSize is how many items, or records that they name, share a pipeline at
// most: a few milliseconds of Redis' time.
const chunkSize = 600

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
// chunk of items). An item that has failed takes no further part.
func run[I item](ctx context.Context, s *Store, items []I, stages ...stage[I]) error {
	for _, stage := range stages {
		for left := items; len(left) > 0; {
			n := together(left)
			if err := runChunk(ctx, s, left[:n], stage); err != nil {
				return err
			}
			left = left[n:]
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

func runChunk[I item](ctx context.Context, s *Store, items []I, stage stage[I]) error {
	p := s.pipe()
	reads := make([]func() error, len(items))
	for i, it := range items {
		if it.failure() == nil {
			reads[i] = stage(ctx, p, it)
		}
	}
	if err := s.exec(ctx, p); err != nil {
		return err
	}
	for i, read := range reads {
		if read == nil {
			continue
		}
		if err := read(); err != nil {
			items[i].fail(err)
		}
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
