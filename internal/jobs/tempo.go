package jobs

import (
	"context"
	"math"
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxBatch is how many items a [Work] gets at once.
	maxBatch = 100
	// perSecond is how many batches there are a second at least, as far as the
	// rate allows, so that it is held evenly and a pause takes effect soon.
	perSecond = 4
	// speedOver is how long back the speed of a running job reaches.
	speedOver = 5 * time.Second
)

// tempo holds the rate of a job and measures its speed. After an interruption
// a new one goes on: nothing is caught up with.
type tempo struct {
	batch   int           // items at once
	limiter *rate.Limiter // nil: no limit
	since   time.Time     // up to when the time worked has been counted
	samples []sample      // of the last speedOver, and one before
}

type sample struct {
	at       time.Time
	position int
}

func newTempo(limit float64, position int) *tempo {
	now := time.Now()
	t := &tempo{batch: maxBatch, since: now, samples: []sample{{now, position}}}
	if limit == 0 {
		return t
	}
	t.batch = max(1, min(maxBatch, int(limit/perSecond)))
	burst := max(t.batch, int(math.Min(limit/perSecond, math.MaxInt32)))
	t.limiter = rate.NewLimiter(rate.Limit(limit), burst)
	t.limiter.AllowN(now, burst) // not even the first items come early
	return t
}

// wait waits until so many items may be done, or ctx ends.
func (t *tempo) wait(ctx context.Context, items int) error {
	if t.limiter == nil {
		return ctx.Err()
	}
	return t.limiter.WaitN(ctx, items)
}

// worked returns the time since it was asked last.
func (t *tempo) worked() time.Duration {
	now := time.Now()
	d := now.Sub(t.since)
	t.since = now
	return d
}

// speed returns how many items a second were done of late, given the position
// now.
func (t *tempo) speed(position int) float64 {
	now := time.Now()
	t.samples = append(t.samples, sample{now, position})
	for len(t.samples) > 2 && now.Sub(t.samples[1].at) > speedOver {
		t.samples = t.samples[1:]
	}
	first := t.samples[0]
	elapsed := now.Sub(first.at)
	if elapsed <= 0 {
		return 0
	}
	return float64(position-first.position) / elapsed.Seconds()
}
