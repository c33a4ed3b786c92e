package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// drainEvery is how often it is looked how far a backlog is. Each look
// takes time from what is measured.
const drainEvery = 100 * time.Millisecond

var errTooFast = errors.New("the backlog was worked off before it could be measured")

// drainRate waits until a backlog is worked off and returns at what rate, from
// when it was first seen to move. counted returns how much is done, and
// whether that is all.
func (b *bench) drainRate(ctx context.Context, of *system, counted func(samples) (float64, bool)) (float64, error) {
	var first, now float64
	var begin time.Time
	err := eventually(ctx, settleTimeout, func() (over bool, _ error) {
		if err := pause(ctx, drainEvery); err != nil {
			return false, err
		}
		found, err := of.metrics(ctx)
		if err != nil {
			return false, err
		}
		now, over = counted(found)
		if begin.IsZero() && now > 0 {
			begin, first = time.Now(), now
		}
		b.progress.update("%s are done", grouped(now))
		return over, nil
	})
	if err != nil {
		return 0, fmt.Errorf("waiting until a backlog is worked off, at %s: %w", grouped(now), err)
	}
	if now == first {
		return 0, errTooFast
	}
	return (now - first) / time.Since(begin).Seconds(), nil
}
