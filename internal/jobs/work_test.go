package jobs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/logoutd/logoutd/internal/jobs"
)

// work notes what it is given.
type work struct {
	// before, if set, is called before the given batch (from 1) is done; with
	// an error it is not.
	before func(ctx context.Context, batch int) error

	mu      sync.Mutex
	begun   int
	batches [][]string
	again   []bool
}

func newWork(before func(ctx context.Context, batch int) error) *work {
	return &work{before: before}
}

func (w *work) Do(ctx context.Context, job jobs.Job, items []jobs.Item) (map[string]int, error) {
	w.mu.Lock()
	w.begun++
	n := w.begun
	w.mu.Unlock()
	if w.before != nil {
		if err := w.before(ctx, n); err != nil {
			return nil, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var batch []string
	for _, item := range items {
		batch = append(batch, string(item))
	}
	w.batches, w.again = append(w.batches, batch), append(w.again, job.Again)
	return map[string]int{"done": len(items)}, nil
}

// done returns how often each item was done.
func (w *work) done() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	times := map[string]int{}
	for _, batch := range w.batches {
		for _, item := range batch {
			times[item]++
		}
	}
	return times
}

// expectOnce fails unless items 0 up to n-1 were done once each.
func expectOnce(t *testing.T, n int, works ...*work) {
	t.Helper()
	expect(t, n, 0, works...)
}

// expect fails unless items 0 up to n-1 were done, and at most so many twice.
func expect(t *testing.T, n, twice int, works ...*work) {
	t.Helper()
	times := map[string]int{}
	for _, w := range works {
		for item, n := range w.done() {
			times[item] += n
		}
	}
	for i := range n {
		switch times[fmt.Sprint(i)] {
		case 1:
		case 2:
			twice--
		default:
			t.Errorf("item %d was done %d times", i, times[fmt.Sprint(i)])
		}
	}
	if twice < 0 {
		t.Errorf("%d items too many were done twice", -twice)
	}
	if len(times) != n {
		t.Errorf("%d items were done, want %d", len(times), n)
	}
}

// Selected shows the query as it is.
func (w *work) Selected(query json.RawMessage) ([]jobs.Criterion, error) {
	return []jobs.Criterion{{Label: "Query", Value: string(query)}}, nil
}
