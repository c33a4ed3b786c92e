package workers

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// verdicts lets n messages fail at once and returns how many failures were
// their own.
func verdicts(t *testing.T, o *outage, class Class, n int) (own int) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			if o.failed(t.Context(), class, &suspect{}) {
				mu.Lock()
				defer mu.Unlock()
				own++
			}
		})
	}
	all.Wait()
	return own
}

func TestOutage(t *testing.T) {
	for name, tc := range map[string]struct {
		class   Class
		fail    int // messages at once
		succeed bool
		own     int
		paused  bool
	}{
		"one failure while others succeed is its own":         {Transient, 1, true, 1, false},
		"a lone failure is its own":                           {Transient, 1, false, 1, false},
		"several in a row are the target's":                   {Transient, outageAfter, false, 0, true},
		"a few are their own":                                 {Transient, outageAfter - 1, false, outageAfter - 1, false},
		"a refused key pauses, also with one message":         {Unauthorized, 1, false, 0, true},
		"a key refused for one message only is the message's": {Unauthorized, 1, true, 1, false},
		"a target that cannot be reached is paused at once":   {Unreachable, 1, false, 0, true},
		"unreachable for all counts against none":             {Unreachable, 20, false, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				paused := false
				o := newOutage(func(p bool) { paused = p })
				if tc.succeed {
					go func() {
						time.Sleep(verdictWait / 2) // of the bubble's clock
						o.succeeded()
					}()
				}
				own := verdicts(t, o, tc.class, tc.fail)
				synctest.Wait()
				if own != tc.own || paused != tc.paused {
					t.Errorf("own %d, paused %v; want %d, %v", own, paused, tc.own, tc.paused)
				}
			})
		})
	}
}

func TestPausedTargetIsProbedOneAtATimeAndResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		paused := false
		o := newOutage(func(p bool) { paused = p })
		o.failed(t.Context(), Unreachable, &suspect{})

		var mu sync.Mutex
		passed := 0
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				var memory suspect
				for {
					if o.pass(t.Context(), &memory) != nil {
						return
					}
					mu.Lock()
					passed++
					turn := passed
					mu.Unlock()
					if turn > 3 { // the target is back with the fourth probe
						o.succeeded()
						return
					}
					if o.failed(t.Context(), Unreachable, &memory) {
						t.Error("an outage was counted against a message")
					}
				}
			})
		}
		time.Sleep(probeFirst * 3 / 2)
		synctest.Wait()
		mu.Lock()
		if passed != 1 || !paused {
			t.Errorf("%d passed, paused %v; want one probe at a time", passed, paused)
		}
		mu.Unlock()
		all.Wait()
		if paused || passed != 13 {
			t.Errorf("paused %v, %d passed; want resumed, 3 failed probes and 10 messages", paused, passed)
		}
	})
}

func TestOneBadMessageIsNotTheOnlyProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutage(func(bool) {})
		var bad, good sync.WaitGroup
		own := false
		bad.Go(func() {
			var memory suspect
			for o.pass(t.Context(), &memory) == nil {
				if own = o.failed(t.Context(), Unauthorized, &memory); own {
					return
				}
			}
		})
		time.Sleep(2 * verdictWait) // alone, it has paused the target
		good.Go(func() {
			if o.pass(t.Context(), &suspect{}) == nil {
				o.succeeded()
			}
		})
		good.Wait()
		bad.Wait()
		if !own {
			t.Error("the message that fails alone is not blamed")
		}
	})
}

func TestPassEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutage(func(bool) {})
		o.failed(t.Context(), Unreachable, &suspect{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- o.pass(ctx, &suspect{}) }()
		cancel()
		if err := <-done; err == nil {
			t.Error("passed a paused target")
		}
	})
}

func TestFailureThatOverlapsAnOutageIsNotItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutage(func(bool) {})
		var slow, other suspect
		if o.pass(t.Context(), &slow) != nil || o.pass(t.Context(), &other) != nil {
			t.Fatal("a target that is up does not let pass")
		}
		o.failed(t.Context(), Unreachable, &other) // the target goes down
		o.succeeded()                              // and comes back
		if o.failed(t.Context(), Transient, &slow) {
			t.Error("an attempt that began before an outage is counted")
		}
	})
}

func TestShutdownLeavesTheVerdictToTheNextDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutage(func(bool) {})
		ctx, cancel := context.WithCancel(t.Context())
		var memory suspect
		if err := o.pass(ctx, &memory); err != nil {
			t.Fatal(err)
		}
		own := make(chan bool)
		go func() { own <- o.failed(ctx, Transient, &memory) }()
		time.Sleep(verdictWait / 2) // of the bubble's clock
		cancel()
		if <-own {
			t.Error("a failure is counted although nobody knows yet whose it is")
		}
		if o.pass(ctx, &memory) == nil {
			t.Error("passed after the shutdown")
		}
	})
}
