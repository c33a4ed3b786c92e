package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// grace is how long answers may take beyond the end of a run.
	grace = 10 * time.Second
	// redialPause keeps a server that refuses connections from being stormed.
	redialPause = 20 * time.Millisecond
)

// load is one run against a target.
type load struct {
	target *target
	// next returns the number of the next token, or that none is left, which
	// ends the run.
	next        func() (int, bool)
	connections int
	duration    time.Duration
	rate        float64 // requests due a second; 0: closed loop
	// answered, if not nil, is told of each good answer.
	answered func(n int, at time.Time)
}

// run loads the target until the duration is over, no token is left, or ctx
// ends, which is no failure unless there was nothing to measure.
func (l load) run(ctx context.Context) (*result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	connections := make([]*connection, l.connections)
	for i := range connections {
		connections[i] = newConnection(l.target, time.Now().Add(l.duration+grace))
		defer connections[i].close()
	}
	if err := dialAll(ctx, connections); err != nil {
		return nil, err
	}
	r := &recorder{start: time.Now()}
	source := l.closedLoop(r.start)
	var pacing *pacer
	if l.rate > 0 {
		pacing = newPacer(ctx, r.start, l.duration, l.rate, l.next)
		source = pacing.take
	}
	var working sync.WaitGroup
	for _, c := range connections {
		working.Go(func() { l.work(ctx, c, r, source) })
	}
	working.Wait()
	out := r.result(l.target.good)
	if pacing != nil {
		out.Unsent = pacing.stop()
	}
	if out.Good == 0 {
		return out, fmt.Errorf("no good answer: %v answers by status (0: none)", out.Statuses)
	}
	return out, nil
}

func dialAll(ctx context.Context, connections []*connection) error {
	var dialling errgroup.Group
	dialling.SetLimit(64)
	for _, c := range connections {
		dialling.Go(func() error { return c.dial(ctx) })
	}
	return dialling.Wait()
}

// due is a request: its token, and when it should be sent.
type due struct {
	token int
	at    time.Time
}

// closedLoop returns a source of requests that are due when they are taken.
func (l load) closedLoop(start time.Time) func() (due, bool) {
	end := start.Add(l.duration)
	return func() (due, bool) {
		now := time.Now()
		if !now.Before(end) {
			return due{}, false
		}
		token, ok := l.next()
		return due{token, now}, ok
	}
}

// work sends over one connection what source returns.
func (l load) work(ctx context.Context, c *connection, r *recorder, source func() (due, bool)) {
	for ctx.Err() == nil {
		if !c.open() && c.dial(ctx) != nil {
			r.bad(0)
			if pause(ctx, redialPause) != nil || time.Now().After(c.deadline) {
				return
			}
			continue
		}
		request, ok := source()
		if !ok {
			return
		}
		status, err := c.exchange(request.token)
		now := time.Now()
		if err != nil || status != l.target.good {
			r.bad(status)
			continue
		}
		r.good(status, now, now.Sub(request.at))
		if l.answered != nil {
			l.answered(request.token, now)
		}
	}
}
