package events

import (
	"context"
	"errors"
)

// groupTimeout is how long a group is tried, resends included. Its callers
// wait as long as their own contexts let them.
const groupTimeout = 2 * AckWait

// grouper lets concurrent callers share one publish: what arrives while a
// group is in flight forms the next one. There is no timer: a lone caller
// never waits for company.
type grouper struct {
	publish func(context.Context, []Request) error
	calls   chan groupCall
	stop    chan struct{}
	stopped chan struct{}
}

type groupCall struct {
	requests []Request
	done     chan error
}

var errClosed = errors.New("publisher closed")

func newGrouper(publish func(context.Context, []Request) error) *grouper {
	g := &grouper{
		publish: publish, calls: make(chan groupCall, 4*MaxBatch),
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	go g.run()
	return g
}

// close ends the grouper after the group in flight.
func (g *grouper) close() {
	close(g.stop)
	<-g.stopped
}

func (g *grouper) do(ctx context.Context, requests []Request) error {
	call := groupCall{requests: requests, done: make(chan error, 1)}
	select {
	case g.calls <- call:
	case <-ctx.Done():
		return unavailable("publishing requests", ctx.Err())
	case <-g.stopped:
		return unavailable("publishing requests", errClosed)
	}
	select {
	case err := <-call.done:
		return err
	case <-ctx.Done():
		return unavailable("publishing requests", ctx.Err())
	case <-g.stopped:
		return unavailable("publishing requests", errClosed)
	}
}

func (g *grouper) run() {
	defer close(g.stopped)
	var next *groupCall // did not fit into the group before
	for {
		if next == nil {
			select {
			case call := <-g.calls:
				next = &call
			case <-g.stop:
				return
			}
		}
		var group []groupCall
		group, next = g.collect(*next)
		g.flush(group)
	}
}

// collect takes what waits behind first, up to what one message holds, and
// returns what no longer fits.
func (g *grouper) collect(first groupCall) (group []groupCall, rest *groupCall) {
	group = []groupCall{first}
	count, size := len(first.requests), wireSize(first.requests)
	for {
		select {
		case call := <-g.calls:
			count, size = count+len(call.requests), size+wireSize(call.requests)
			if count > MaxBatch || size > MaxBatchBytes {
				return group, &call
			}
			group = append(group, call)
		default:
			return group, nil
		}
	}
}

func (g *grouper) flush(group []groupCall) {
	var requests []Request
	for _, call := range group {
		requests = append(requests, call.requests...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	err := g.publish(ctx, requests)
	for _, call := range group {
		call.done <- err
	}
}

// envelopeSize is an upper bound of what a request takes on the wire beside
// its texts.
const envelopeSize = 1 << 10

// wireSize is an upper bound of the length of requests on the wire: JSON
// writes a byte as six at the most (\u0000).
func wireSize(requests []Request) int {
	size := 0
	for _, r := range requests {
		size += envelopeSize + 6*(len(r.Reason)+len(r.UserID)+len(r.TenantID)+len(r.AppID)+len(r.DeviceID)+
			len(r.Dialect)+len(r.History.Error))
	}
	return size
}
