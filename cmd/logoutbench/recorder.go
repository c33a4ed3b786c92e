package main

import (
	"sync/atomic"
	"time"
)

// slotsPerRun is about how many slots a run is divided into.
const slotsPerRun = 40

// recorder takes down the answers of one run. It is safe for concurrent use.
type recorder struct {
	start    time.Time
	slot     time.Duration
	slots    []histogram
	statuses [600]atomic.Uint64 // by status; 0: no answer
	last     atomic.Int64       // time of the last answer, from start
}

func newRecorder(start time.Time, duration time.Duration) *recorder {
	slot := max(duration/slotsPerRun, 100*time.Millisecond)
	return &recorder{start: start, slot: slot, slots: make([]histogram, int(duration/slot)+1)}
}

// good takes down an answer as it should be.
func (r *recorder) good(status int, at time.Time, latency time.Duration) {
	since := at.Sub(r.start)
	r.slots[min(int(since/r.slot), len(r.slots)-1)].add(latency)
	r.statuses[status].Add(1)
	for {
		last := r.last.Load()
		if int64(since) <= last || r.last.CompareAndSwap(last, int64(since)) {
			return
		}
	}
}

// bad takes down any other answer; status 0: there was none.
func (r *recorder) bad(status int) {
	if status >= len(r.statuses) {
		status = 0
	}
	r.statuses[status].Add(1)
}

// result is what came out of a run.
type result struct {
	Connections int
	Rate        float64 // requests due a second; 0: closed loop
	Elapsed     time.Duration
	Unsent      int // due, but still waiting for a connection at the end
	Slot        time.Duration
	Slots       []*histogram // those that are over
	Latency     *histogram   // of the good answers
	Good        uint64
	Bad         uint64
	Statuses    map[int]uint64 // 0: no answer
}

func (r *recorder) result(good int) *result {
	out := &result{
		Elapsed: time.Duration(r.last.Load()), Slot: r.slot,
		Latency: &histogram{}, Statuses: map[int]uint64{},
	}
	for i := range r.slots {
		out.Latency.merge(&r.slots[i])
		if time.Duration(i+1)*r.slot <= out.Elapsed {
			out.Slots = append(out.Slots, &r.slots[i])
		}
	}
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
