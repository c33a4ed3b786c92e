package main

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

const (
	// precisionBits makes 64 buckets for each power of two: a quantile is at
	// most 1.6 % above the true value.
	precisionBits = 6
	// rangeBits makes the last bucket end at 2^40 ns, about 18 minutes.
	rangeBits = 40
	buckets   = (rangeBits - precisionBits + 1) << precisionBits
)

// histogram counts durations in buckets that grow with their values. The zero
// value is empty. It is safe for concurrent use.
type histogram struct {
	counts [buckets]atomic.Uint64
	max    atomic.Int64 // nanoseconds
}

func bucketOf(d time.Duration) int {
	ns := uint64(min(max(d, 0), 1<<rangeBits-1))
	if ns < 1<<precisionBits {
		return int(ns)
	}
	shift := bits.Len64(ns) - precisionBits - 1
	return shift<<precisionBits + int(ns>>shift)
}

// upperBound returns the longest duration that falls into a bucket.
func upperBound(bucket int) time.Duration {
	if bucket < 1<<precisionBits {
		return time.Duration(bucket)
	}
	shift := bucket>>precisionBits - 1
	mantissa := bucket - shift<<precisionBits
	return time.Duration((mantissa+1)<<shift - 1)
}

// add counts one duration; one that is out of range falls into the last bucket.
func (h *histogram) add(d time.Duration) {
	h.counts[bucketOf(d)].Add(1)
	for {
		most := h.max.Load()
		if int64(d) <= most || h.max.CompareAndSwap(most, int64(d)) {
			return
		}
	}
}

func (h *histogram) count() uint64 {
	var n uint64
	for i := range h.counts {
		n += h.counts[i].Load()
	}
	return n
}

// quantile returns the duration that a share q (0 to 1) does not exceed; 0
// where nothing was counted.
func (h *histogram) quantile(q float64) time.Duration {
	rank := max(uint64(math.Ceil(q*float64(h.count()))), 1)
	var seen uint64
	for i := range h.counts {
		if seen += h.counts[i].Load(); seen >= rank {
			return min(upperBound(i), time.Duration(h.max.Load()))
		}
	}
	return 0
}
