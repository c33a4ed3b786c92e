package batcher

import (
	"context"
	"errors"
	"runtime"
	"sync"
)

// ErrClosed is the error of items that come after [Batcher.Close].
var ErrClosed = errors.New("closed")

// Config configures a [Batcher].
type Config[T any] struct {
	// Do does a batch, which has one item at least. Its error is that of each
	// item; an error of a single item is Do's business. The next batch can begin
	// when Do returns, or earlier if Do calls next.
	Do func(batch []T, next func()) error
	// Take returns how many of the first waiting items make a batch: one at
	// least. Default: all.
	Take func(waiting []T) int
	// InFlight is how many batches are done at once. Default 1.
	InFlight int
}

// Batcher makes batches. It is safe for concurrent use. Create one with [New].
type Batcher[T any] struct {
	config Config[T]

	mu      sync.Mutex
	items   []T            // that wait
	done    []chan<- error // their callers
	flying  int
	closed  bool
	running sync.WaitGroup
}

// New returns a batcher.
func New[T any](c Config[T]) *Batcher[T] {
	if c.Take == nil {
		c.Take = func(waiting []T) int { return len(waiting) }
	}
	c.InFlight = max(c.InFlight, 1)
	return &Batcher[T]{config: c}
}

// Do adds an item to the next batch and returns when that batch is done, or
// with the error of ctx when that ends first; the item can be done later then.
func (b *Batcher[T]) Do(ctx context.Context, item T) error {
	select {
	case err := <-b.Go(item):
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Go adds an item to the next batch. The channel gets its error once.
func (b *Batcher[T]) Go(item T) <-chan error {
	done := make(chan error, 1) // the caller may not wait
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		done <- ErrClosed
		return done
	}
	b.items, b.done = append(b.items, item), append(b.done, done)
	if b.flying < b.config.InFlight {
		b.flying++
		b.running.Go(b.run)
	}
	return done
}

// Waiting returns how many items are in no batch yet.
func (b *Batcher[T]) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.items)
}

// Close refuses what comes from now on, and returns when all that waits is
// done.
func (b *Batcher[T]) Close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.running.Wait()
}

// run does batches until no item waits, or another goroutine has taken over.
func (b *Batcher[T]) run() {
	for {
		runtime.Gosched() // let callers that are about to come join this batch
		items, done := b.next()
		if len(items) == 0 || b.do(items, done) {
			return
		}
	}
}

// next takes a batch. If nothing waits, the caller is no longer in flight.
func (b *Batcher[T]) next() (items []T, done []chan<- error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.items) == 0 {
		b.flying--
		b.items, b.done = nil, nil
		return nil, nil
	}
	n := b.config.Take(b.items)
	items, done = b.items[:n:n], b.done[:n:n]
	b.items, b.done = b.items[n:], b.done[n:]
	return items, done
}

// do does a batch, and reports whether another goroutine does the next ones.
func (b *Batcher[T]) do(items []T, done []chan<- error) (handedOver bool) {
	var once sync.Once
	err := b.config.Do(items, func() {
		once.Do(func() {
			handedOver = true
			b.running.Go(b.run)
		})
	})
	once.Do(func() {}) // from now on it is too late
	for _, d := range done {
		d <- err
	}
	return handedOver
}
