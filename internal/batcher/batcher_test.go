package batcher_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/logoutd/logoutd/internal/batcher"
)

// TestItemsShareTheNextBatch: those that come while a batch is under way.
func TestItemsShareTheNextBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var batches [][]int
		gate := make(chan error)
		b := batcher.New(batcher.Config[int]{Do: func(batch []int, _ func()) error {
			batches = append(batches, slices.Sorted(slices.Values(batch)))
			return <-gate
		}})
		var callers sync.WaitGroup
		errs := make([]error, 4)
		call := func(i int) { callers.Go(func() { errs[i] = b.Do(t.Context(), i) }) }
		call(0)
		synctest.Wait()
		for i := 1; i < 4; i++ {
			call(i)
		}
		synctest.Wait()
		if n := b.Waiting(); n != 3 {
			t.Errorf("%d wait, want 3", n)
		}
		failure := errors.New("failure")
		gate <- nil
		gate <- failure
		callers.Wait()
		if want := [][]int{{0}, {1, 2, 3}}; !slices.EqualFunc(batches, want, slices.Equal[[]int]) {
			t.Errorf("batches %v, want %v", batches, want)
		}
		if want := []error{nil, failure, failure, failure}; !slices.Equal(errs, want) {
			t.Errorf("errors %v, want %v", errs, want)
		}
	})
}

// TestLimits: Take bounds a batch, InFlight how many are done at once, and Do can
// let the next one begin before it returns.
func TestLimits(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		inFlight int
		handOver bool
		want     int // batches that have begun while none has ended
	}{
		"one": {1, false, 1}, "three": {3, false, 3}, "handed over": {1, true, 5},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				begun, sizes, end := 0, 0, make(chan struct{})
				b := batcher.New(batcher.Config[int]{
					InFlight: tt.inFlight,
					Take:     func(waiting []int) int { return min(len(waiting), 2) },
					Do: func(batch []int, next func()) error {
						mu.Lock()
						begun++
						sizes = max(sizes, len(batch))
						mu.Unlock()
						if tt.handOver {
							next()
						}
						<-end
						return nil
					},
				})
				for range 2 * 5 {
					b.Go(0)
				}
				synctest.Wait()
				if begun > tt.want || sizes > 2 {
					t.Errorf("%d batches of up to %d have begun, want %d of 2", begun, sizes, tt.want)
				}
				close(end)
				b.Close()
				if err := b.Do(t.Context(), 0); !errors.Is(err, batcher.ErrClosed) {
					t.Errorf("after Close: %v", err)
				}
			})
		})
	}
}

// TestCallerGivesUp: its item is done all the same.
func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate, done := make(chan struct{}), 0
		b := batcher.New(batcher.Config[int]{Do: func(batch []int, _ func()) error {
			<-gate
			done += len(batch)
			return nil
		}})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.Do(ctx, 1); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want that of the context", err)
		}
		close(gate)
		b.Close()
		if done != 1 {
			t.Errorf("%d items are done, want 1", done)
		}
	})
}
