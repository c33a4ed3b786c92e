package workers

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/logoutd/logoutd/events"
)

// simulatedFronts accept so many logouts a second, and have so many waiting.
type simulatedFronts struct {
	waiting   int
	rate      float64
	published float64
	since     time.Time
}

func (f *simulatedFronts) Waiting() int { return f.waiting }

func (f *simulatedFronts) Published() int64 {
	f.accept(f.rate)
	return int64(f.published)
}

// accept sets the rate from now on.
func (f *simulatedFronts) accept(rate float64) {
	f.published += f.rate * time.Since(f.since).Seconds()
	f.rate, f.since = rate, time.Now()
}

// A revoker with rounds of 50 ms, all the time.
func TestMannersOfARevoker(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name             string
		waiting          int
		working, resting float64 // accepted a second meanwhile
		late             time.Duration
		least, most      float64 // share of the time that it rests
	}{
		{"nobody waits", 0, 100, 100, time.Second, 0, 0.01},
		{"a load that revoking does not slow down", 50, 10_000, 10_000, time.Second, 0.05, 0.15},
		{"a burst that it does", 50, 10_000, 20_000, time.Second, 0.85, 0.96},
		{"a burst that does not end", 50, 10_000, 20_000, time.Hour, 0.4, 0.8},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &simulatedFronts{waiting: c.waiting, since: time.Now()}
				m := &manners{fronts: f}
				var rested time.Duration
				begin := time.Now()
				for time.Since(begin) < time.Minute {
					f.accept(c.working)
					<-time.After(50 * time.Millisecond)
					f.accept(c.resting)
					rests := time.Now()
					m.rest(t.Context(), lateRound(c.late))
					rested += time.Since(rests)
				}
				share := rested.Seconds() / time.Since(begin).Seconds()
				if share < c.least || share > c.most {
					t.Errorf("it rests for %.2f of the time, want %.2f to %.2f", share, c.least, c.most)
				}
			})
		})
	}
}

// lateRound is a round that took 50 ms, of a request that old.
func lateRound(late time.Duration) *revokeRound {
	request := events.Request{RequestedAt: events.At(time.Now().Add(-late))}
	d := delivery{requests: []events.Request{request}}
	return &revokeRound{fresh: []group{{deliveries: []delivery{d}}}, took: 50 * time.Millisecond}
}
