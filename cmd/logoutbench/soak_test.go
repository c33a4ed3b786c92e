package main

import (
	"math"
	"testing"
	"time"
)

func TestGrowthIsFromTheSecondQuarterToTheLast(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		samples []int64
		want    float64
	}{
		"flat":            {[]int64{1, 1, 100, 100, 100, 100, 100, 100}, 0},
		"warm-up only":    {[]int64{10, 50, 100, 100, 120, 140, 100, 100}, 0},
		"grows":           {[]int64{0, 0, 100, 100, 110, 110, 120, 120}, 0.2},
		"shrinks":         {[]int64{0, 0, 100, 100, 90, 90, 50, 50}, -0.5},
		"not of quarters": {[]int64{0, 100, 105, 110, 110}, 0.1},
	} {
		got, err := growth(c.samples)
		if err != nil || math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
		}
	}
	if _, err := growth([]int64{1, 2, 3}); err == nil {
		t.Error("three samples tell how the memory grows")
	}
}

func TestASoakIsJudged(t *testing.T) {
	t.Parallel()
	c := soakCmd{Rate: 100, Duration: time.Minute}
	for name, tt := range map[string]struct {
		run   result
		grown float64
		ok    bool
	}{
		"good":                      {result{Good: 6000, Elapsed: time.Minute}, 0.01, true},
		"a few wait at the end":     {result{Good: 5990, Elapsed: time.Minute, Unsent: 10}, 0, true},
		"the memory grows":          {result{Good: 6000, Elapsed: time.Minute}, 0.06, false},
		"a bad answer":              {result{Good: 5999, Bad: 1, Elapsed: time.Minute}, 0, false},
		"late":                      {result{Good: 5800, Elapsed: time.Minute}, 0, false},
		"the sessions have run out": {result{Good: 3000, Elapsed: time.Minute / 2}, 0, false},
	} {
		if err := c.judge(&tt.run, tt.grown); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
