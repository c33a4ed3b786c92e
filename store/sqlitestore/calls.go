package sqlitestore

import (
	"context"
	"time"

	"github.com/logoutd/logoutd/store"
)

// read runs a call that only reads, beside the writer.
func (s *Store) read(ctx context.Context, do func(handle) error) error {
	s.calls.RLock()
	defer s.calls.RUnlock()
	if s.closed {
		return unavailable(errClosed)
	}
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	select {
	case reader := <-s.readers:
		defer func() { s.readers <- reader }()
		return unavailable(reader.transact(`BEGIN`, do))
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
}

// write runs a call of so many items, or a chunk of one, in a transaction that
// is on disk when it returns.
func (s *Store) write(ctx context.Context, items int, do func(handle) error) error {
	return s.in(ctx, s.writer, items, do)
}

func (s *Store) in(ctx context.Context, t *transactor, items int, do func(handle) error) error {
	s.calls.RLock()
	defer s.calls.RUnlock()
	if s.closed {
		return unavailable(errClosed)
	}
	return unavailable(t.do(ctx, items, do))
}

// each does the items in order. A failure that is an item's own goes to
// failed, any other ends the call.
func each[T any](items []T, do func(i int, item T) error, failed func(i int, err error)) error {
	for i, item := range items {
		if err := do(i, item); err != nil {
			if !ofItem(err) {
				return err
			}
			failed(i, err)
		}
	}
	return nil
}

// register is the body of the three calls that register: put stores an item
// under the id and reports whether it was new.
func register[T any](ctx context.Context, s *Store, items []T, id func(T) string, put func(handle, T) (bool, error)) ([]store.PutResult, error) {
	results := make([]store.PutResult, len(items))
	var ahead int64
	err := s.write(ctx, len(items), func(h handle) error {
		ahead = h.next - h.now
		return each(items, func(i int, item T) (err error) {
			results[i] = store.PutResult{ID: id(item)}
			results[i].Created, err = put(h, item)
			return err
		}, func(i int, err error) { results[i].Err = err })
	})
	if err != nil {
		return nil, err
	}
	// What was registered as of the next millisecond is answered when that has
	// come: a logout that begins then is later. Only a clock that was set back
	// is further behind.
	time.Sleep(time.Duration(min(ahead, 1)) * time.Millisecond)
	return results, nil
}

// inChunks works off n items in order, in transactions that go through about
// chunk rows each, and take about chunkTime. work returns how many rows it went
// through, and whether the item has more.
func (s *Store) inChunks(ctx context.Context, n int, work func(h handle, i, rows int) (int, bool, error), failed func(i int, err error)) error {
	for next := 0; next < n; {
		err := s.write(ctx, min(n-next, s.config.chunk()), func(h handle) error {
			begun := time.Now()
			for rows := s.config.chunk(); rows > 0 && next < n && time.Since(begun) < chunkTime; {
				read, more, err := work(h, next, rows)
				if err != nil && !ofItem(err) {
					return err
				}
				if err != nil {
					failed(next, err)
				}
				if err != nil || !more {
					next++
				}
				rows -= max(read, 1)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
