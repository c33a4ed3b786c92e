package main

import (
	"context"
	"time"
)

// pacer makes requests due at a constant rate. When a request is due depends
// on its place in the sequence alone, never on those before it.
type pacer struct {
	start    time.Time
	interval float64 // nanoseconds
	requests chan due
	total    int
	cancel   context.CancelFunc
	sent     int // of the goroutine, until it has closed requests
}

// late is how long requests that are due may wait for a free connection after
// the last one was due.
const late = 5 * time.Second

func newPacer(ctx context.Context, start time.Time, duration time.Duration, rate float64, next func() (int, bool)) *pacer {
	ctx, cancel := context.WithDeadline(ctx, start.Add(duration+late))
	p := &pacer{
		start: start, interval: float64(time.Second) / rate, cancel: cancel,
		requests: make(chan due), total: int(duration.Seconds() * rate),
	}
	go p.run(ctx, next)
	return p
}

func (p *pacer) run(ctx context.Context, next func() (int, bool)) {
	defer close(p.requests)
	for ; p.sent < p.total; p.sent++ {
		at := p.start.Add(time.Duration(float64(p.sent) * p.interval))
		for wait := time.Until(at); wait > 0 && ctx.Err() == nil; wait = time.Until(at) {
			nap(min(wait, 10*time.Millisecond))
		}
		token, ok := next()
		if !ok {
			p.total = p.sent
			return
		}
		select {
		case p.requests <- due{token, at}:
		case <-ctx.Done():
			return
		}
	}
}

// take waits for the next request that is due; false: there will be none.
func (p *pacer) take() (due, bool) {
	request, ok := <-p.requests
	return request, ok
}

// stop ends the pacer and returns how many requests were due and not sent.
func (p *pacer) stop() (unsent int) {
	p.cancel()
	for range p.requests { // what the goroutine was about to hand out
	}
	return p.total - p.sent
}
