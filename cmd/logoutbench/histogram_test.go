package main

import (
	"math"
	"testing"
	"time"
)

func TestBucketsAreNarrowAndOrdered(t *testing.T) {
	t.Parallel()
	before := time.Duration(-1)
	for bucket := range buckets {
		upper := upperBound(bucket)
		if upper <= before {
			t.Fatalf("bucket %d ends at %d, the one before at %d", bucket, upper, before)
		}
		if got := bucketOf(upper); got != bucket {
			t.Fatalf("%d falls into bucket %d, want %d", upper, got, bucket)
		}
		if got := bucketOf(before + 1); got != bucket {
			t.Fatalf("%d falls into bucket %d, want %d", before+1, got, bucket)
		}
		if width := float64(upper - before); before > 64 && width/float64(before) > 0.017 {
			t.Fatalf("bucket %d is %.3f of its value wide", bucket, width/float64(before))
		}
		before = upper
	}
}

func TestQuantiles(t *testing.T) {
	t.Parallel()
	var h histogram
	for ms := 1; ms <= 1000; ms++ {
		h.add(time.Duration(ms) * time.Millisecond)
	}
	if got := h.count(); got != 1000 {
		t.Errorf("count is %d", got)
	}
	for q, want := range map[float64]float64{0: 1, 0.5: 500, 0.9: 900, 0.99: 990, 0.999: 999} {
		if got := float64(h.quantile(q)) / 1e6; math.Abs(got-want)/want > 0.017 {
			t.Errorf("quantile %v is %v ms, want about %v", q, got, want)
		}
	}
	if got := h.quantile(1); got != time.Second {
		t.Errorf("the longest is %v, want exactly 1 s", got)
	}
}

func TestHistogramAtItsEdges(t *testing.T) {
	t.Parallel()
	var h histogram
	if got := h.quantile(0.5); got != 0 {
		t.Errorf("the median of nothing is %v", got)
	}
	h.add(-time.Second)
	h.add(24 * time.Hour)
	if got := h.quantile(0.5); got != 0 {
		t.Errorf("a negative duration counts as %v", got)
	}
	if got := h.quantile(1); got < 18*time.Minute {
		t.Errorf("a day counts as %v", got)
	}
}
