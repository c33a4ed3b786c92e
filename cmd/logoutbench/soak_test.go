package main

import (
	"math"
	"testing"
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
