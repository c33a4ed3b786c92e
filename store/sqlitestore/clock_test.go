package sqlitestore

import (
	"testing"
	"time"
)

func TestSteadyClock(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	shown := start
	c := newSteadyClock(func() time.Time { return shown })
	for _, step := range []struct{ by, want time.Duration }{
		{10 * time.Second, 10 * time.Second},
		{-2 * time.Second, 10 * time.Second},                     // it stands still
		{10 * time.Second, 20*time.Second - 10*time.Millisecond}, // and runs slow
		{0, 20*time.Second - 10*time.Millisecond},
		{time.Hour, time.Hour + 18*time.Second},                      // until it is right again
		{-3 * maxSetBack, time.Hour + 18*time.Second - 3*maxSetBack}, // the clock was wrong
	} {
		shown = shown.Add(step.by)
		if got := c.now().Sub(start); got != step.want {
			t.Errorf("after a step of %v it shows %v, want %v", step.by, got, step.want)
		}
	}
}
