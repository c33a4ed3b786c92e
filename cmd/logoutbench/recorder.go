package main

import (
	"sync/atomic"
	"time"
)

// recorder counts the answers of one run. It is safe for concurrent use.
type recorder struct {
	start    time.Time
	latency  histogram
	statuses [600]atomic.Uint64 // by status; 0: no answer
	last     atomic.Int64       // nanoseconds from start to the last good answer
}

// good counts an answer as it should be.
func (r *recorder) good(status int, at time.Time, latency time.Duration) {
	r.latency.add(latency)
	r.statuses[status].Add(1)
	since := int64(at.Sub(r.start))
	for {
		last := r.last.Load()
		if since <= last || r.last.CompareAndSwap(last, since) {
			return
		}
	}
}

// bad counts any other answer; status 0: there was none.
func (r *recorder) bad(status int) {
	if status >= len(r.statuses) {
		status = 0
	}
	r.statuses[status].Add(1)
}

// result is what came out of a run.
type result struct {
	Elapsed  time.Duration // until the last good answer
	Latency  *histogram    // of the good answers
	Good     uint64
	Bad      uint64
	Unsent   int            // due in an open loop, but still waiting for a connection at the end
	Statuses map[int]uint64 // 0: no answer
}

func (r *recorder) result(good int) *result {
	out := &result{Elapsed: time.Duration(r.last.Load()), Latency: &r.latency, Statuses: map[int]uint64{}}
	for status := range r.statuses {
		n := r.statuses[status].Load()
		switch {
		case n == 0:
			continue
		case status == good:
			out.Good = n
		default:
			out.Bad += n
		}
		out.Statuses[status] = n
	}
	return out
}

// throughput is in good answers a second.
func (r *result) throughput() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(r.Good) / r.Elapsed.Seconds()
}
