package http

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/logoutd/logoutd/internal/batcher"
	"github.com/logoutd/logoutd/store"
)

// checkedStore answers a call when it is told to: the registrations named odd
// were made anew.
type checkedStore struct {
	store.Store
	begun  chan int // number of checks
	answer chan error
}

func (s checkedStore) Reregistered(_ context.Context, checks []store.PushCheck) ([]bool, error) {
	s.begun <- len(checks)
	if err := <-s.answer; err != nil {
		return nil, err
	}
	anew := make([]bool, len(checks))
	for i, c := range checks {
		anew[i] = c.PushRegistrationID == "odd"
	}
	return anew, nil
}

func TestChecksShareTheNextCall(t *testing.T) {
	t.Parallel()
	s := checkedStore{begun: make(chan int, 10), answer: make(chan error)}
	c := newRechecker()
	var asking sync.WaitGroup
	defer asking.Wait()
	defer close(s.answer)
	ask := func(name string, wantErr error) {
		asking.Go(func() {
			asked := &check{store: s, PushCheck: store.PushCheck{PushRegistrationID: name}}
			err := c.Do(t.Context(), asked)
			if err != wantErr || asked.again != (err == nil && name == "odd") {
				t.Errorf("%s: %v, %v", name, asked.again, err)
			}
		})
	}
	ask("odd", nil)
	if n := <-s.begun; n != 1 {
		t.Fatalf("%d checks, want 1", n)
	}
	const together = 20
	for i := range together {
		ask([]string{"even", "odd"}[i%2], nil)
	}
	awaitChecks(t, c, together)
	s.answer <- nil
	if n := <-s.begun; n != together {
		t.Fatalf("%d checks, want the %d that came meanwhile", n, together)
	}
	for range 2 {
		ask("odd", store.ErrUnavailable)
	}
	awaitChecks(t, c, 2)
	s.answer <- nil
	<-s.begun
	s.answer <- store.ErrUnavailable
}

// awaitChecks waits until n checks wait for the next call.
func awaitChecks(t *testing.T, c *batcher.Batcher[*check], n int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); c.Waiting() != n; {
		if time.Now().After(deadline) {
			t.Fatalf("%d checks wait, want %d", c.Waiting(), n)
		}
		<-time.After(time.Millisecond)
	}
}
