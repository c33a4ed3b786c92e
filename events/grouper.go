package events

import (
	"context"
	"errors"
	"runtime"
	"sync"
)

// groupTimeout is how long a group is tried, resends included. Its callers
// wait as long as their own contexts let them.
const groupTimeout = 2 * AckWait

// grouper lets concurrent callers share one publish: what arrives while a
// group is in flight forms the next one. There is no timer: a lone caller
// never waits for company.
type grouper struct {
	publish func(context.Context, []encodedRequest) error
	calls   chan groupCall
	held    *groupCall // did not fit into the group before; of run alone
	stop    chan struct{}
	once    sync.Once
	stopped chan struct{}
}

type groupCall struct {
	request encodedRequest
	done    chan error
}

var errClosed = errors.New("publisher closed")

func newGrouper(publish func(context.Context, []encodedRequest) error) *grouper {
	g := &grouper{
		publish: publish, calls: make(chan groupCall, 4*MaxBatch),
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	go g.run()
	return g
}

// close ends the grouper after the group in flight.
func (g *grouper) close() {
	g.once.Do(func() { close(g.stop) })
	<-g.stopped
}

func (g *grouper) do(ctx context.Context, requests []encodedRequest) error {
	done := make(chan error, len(requests))
	for _, request := range requests {
		select {
		case g.calls <- groupCall{request, done}:
		case <-ctx.Done():
			return unavailable("publishing requests", ctx.Err())
		case <-g.stopped:
			return unavailable("publishing requests", errClosed)
		}
	}
	for range requests {
		if err := g.wait(ctx, done); err != nil {
			return err
		}
	}
	return nil
}

func (g *grouper) wait(ctx context.Context, done <-chan error) error {
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return unavailable("publishing requests", ctx.Err())
	case <-g.stopped:
	}
	select {
	case err := <-done: // it was in the last group
		return err
	default:
		return unavailable("publishing requests", errClosed)
	}
}

func (g *grouper) run() {
	defer close(g.stopped)
	for {
		select {
		case <-g.stop:
			return
		default:
		}
		first, ok := g.first()
		if !ok {
			return
		}
		runtime.Gosched() // whoever is about to come joins
		g.flush(g.collect(first))
	}
}

// first waits for the call that begins a group; false: there will be none.
func (g *grouper) first() (groupCall, bool) {
	if held := g.held; held != nil {
		g.held = nil
		return *held, true
	}
	select {
	case call := <-g.calls:
		return call, true
	case <-g.stop:
		return groupCall{}, false
	}
}

// collect takes what waits behind first, up to what one message holds.
func (g *grouper) collect(first groupCall) []groupCall {
	group := []groupCall{first}
	size := first.request.size()
	for len(group) < MaxBatch {
		select {
		case call := <-g.calls:
			if size += call.request.size(); size > MaxBatchBytes {
				g.held = &call
				return group
			}
			group = append(group, call)
		default:
			return group
		}
	}
	return group
}

func (g *grouper) flush(group []groupCall) {
	requests := make([]encodedRequest, len(group))
	for i, call := range group {
		requests[i] = call.request
	}
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	err := g.publish(ctx, requests)
	for _, call := range group {
		call.done <- err
	}
}
