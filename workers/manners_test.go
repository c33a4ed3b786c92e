package workers

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
)

// simulatedFronts are asked for so many logouts a second, and accept what they
// can of those and of what has been late. Callers are fewer where they can
// accept more than they are asked for.
type simulatedFronts struct {
	callers   int     // that wait when it is full
	asked     float64 // a second; 0: each answer is followed by the next request
	capacity  float64 // a second
	late      float64 // asked for and not accepted yet
	published float64
	waited    time.Duration
	since     time.Time
}

// Waiting is now and then everybody: messages are acknowledged in waves.
func (f *simulatedFronts) Waiting() int {
	f.advance()
	if f.since.UnixMilli()/5%4 == 0 {
		return f.callers
	}
	return f.average()
}

func (f *simulatedFronts) average() int {
	if f.asked == 0 || f.late >= 1 {
		return f.callers
	}
	return int(float64(f.callers) * min(f.asked/f.capacity, 1))
}

func (f *simulatedFronts) Accepted() (int64, time.Duration) {
	f.advance()
	return int64(f.published), f.waited
}

// can sets the capacity from now on.
func (f *simulatedFronts) can(accept float64) {
	f.advance()
	f.capacity = accept
}

// advance brings everything to the present.
func (f *simulatedFronts) advance() {
	elapsed := time.Since(f.since)
	if elapsed == 0 {
		return
	}
	f.since = f.since.Add(elapsed)
	f.waited += time.Duration(f.average()) * elapsed
	can := f.capacity * elapsed.Seconds()
	if f.asked > 0 {
		f.late += f.asked * elapsed.Seconds()
		can = min(can, f.late)
		f.late -= can
	}
	f.published += can
}

// A revoker with rounds of 50 ms, all the time.
func TestMannersOfARevoker(t *testing.T) {
	t.Parallel()
	const each = 0 // answer is followed by the next request
	for _, c := range []struct {
		name             string
		callers          int
		asked            float64 // a second
		working, resting float64 // can be accepted a second meanwhile
		late             time.Duration
		least, most      float64       // share of the time that it rests
		longest          time.Duration // rest
	}{
		{"nobody waits", 0, 100, 10_000, 10_000, time.Second, 0, 0, 0},
		{"a few wait now and then", 24, each, 10_000, 20_000, time.Second, 0, 0, 0},
		{"a load that revoking does not slow down", 50, 10_000, 15_000, 30_000, time.Second, 0.005, 0.06, 200 * time.Millisecond},
		{"a load that revoking can just carry", 50, 15_000, 15_500, 30_000, time.Second, 0.005, 0.06, 300 * time.Millisecond},
		{"a burst that it slows down", 50, each, 10_000, 20_000, time.Second, 0.9, 0.98, 2500 * time.Millisecond},
		{"a load that it slows down", 50, 20_000, 10_000, 30_000, time.Second, 0.6, 0.98, 2500 * time.Millisecond},
		{"a load that is soon caught up with", 50, 12_000, 8_000, 30_000, time.Second, 0.005, 0.4, 300 * time.Millisecond},
		{"a burst that does not end", 50, each, 10_000, 20_000, time.Hour, 0.4, 0.8, 200 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &simulatedFronts{callers: c.callers, asked: c.asked, since: time.Now()}
				m := &manners{fronts: f}
				var rested, longest time.Duration
				begin := time.Now()
				for time.Since(begin) < time.Minute {
					f.can(c.working)
					<-time.After(50 * time.Millisecond)
					f.can(c.resting)
					rests := time.Now()
					m.rest(t.Context(), lateRound(c.late))
					rested += time.Since(rests)
					longest = max(longest, time.Since(rests))
				}
				share := rested.Seconds() / time.Since(begin).Seconds()
				if share < c.least || share > c.most {
					t.Errorf("it rests for %.3f of the time, want %.3f to %.3f", share, c.least, c.most)
				}
				if longest > c.longest {
					t.Errorf("a rest took %v, want %v at most", longest, c.longest)
				}
			})
		})
	}
}

// A load that is late for a moment, because something else had the processor,
// looks like a burst until it has been made up for.
func TestMannersWhereALoadWasLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &simulatedFronts{callers: 50, asked: 15_000, capacity: 14_000, since: time.Now()}
		m := &manners{fronts: f}
		m.rest(t.Context(), lateRound(0))
		<-time.After(firstProbe)
		f.late = 5000
		f.can(30_000)
		var rested time.Duration
		for range 5 {
			rests := time.Now()
			m.rest(t.Context(), lateRound(0))
			rested += time.Since(rests)
		}
		if rested < 200*time.Millisecond || rested > 700*time.Millisecond {
			t.Errorf("it rested for %v, want about what 5,000 late ones take", rested)
		}
	})
}

// What a burst has left is worked off without rests.
func TestMannersAfterABurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &simulatedFronts{callers: 50, since: time.Now()}
		m := &manners{fronts: f}
		round := func() (rested time.Duration) {
			f.can(10_000)
			<-time.After(50 * time.Millisecond)
			f.can(20_000)
			begun := time.Now()
			m.rest(t.Context(), lateRound(time.Second))
			return time.Since(begun)
		}
		var during, after time.Duration
		for range 10 {
			during += round()
		}
		f.callers = 0
		for range 40 {
			after += round()
		}
		if during < time.Second || after > 300*time.Millisecond {
			t.Errorf("it rested for %v during the burst and for %v after it", during, after)
		}
	})
}

// lateRound is a round that took 50 ms, of a request that old.
func lateRound(late time.Duration) *rounds {
	request := messages.Request{RequestedAt: events.At(time.Now().Add(-late))}
	d := delivery{requests: []messages.Request{request}}
	return &rounds{latest: &revokeRound{fresh: []group{{deliveries: []delivery{d}}}, took: 50 * time.Millisecond}}
}
