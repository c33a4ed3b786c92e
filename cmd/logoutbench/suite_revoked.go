package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/logoutd/logoutd/events"
)

const (
	// calmConnections is enough for runs at a low rate.
	calmConnections = 64
	// eventPatience is how long public events may take after a run.
	eventPatience = 30 * time.Second
)

// revoked measures the time from the 2xx to the public event, at a tenth of
// the peak rate.
func (s *suite) revoked(ctx context.Context, d *deployment, c *crowd) error {
	rate := s.peak / 10
	s.progress.step("from 2xx to fully revoked, %s logouts/s", grouped(rate))
	if err := s.provide(ctx, &d.system, c, int(rate*s.calm.Seconds())); err != nil {
		return err
	}
	t, err := newTarget(d.public, dialects["sap_v1"], c.sessions)
	if err != nil {
		return err
	}
	followed := newFollowed(c, "sap_v1")
	stop, err := d.follow(ctx, followed.told)
	if err != nil {
		return err
	}
	r, err := s.load(ctx, load{
		target: t, next: c.next, connections: calmConnections, duration: s.calm, rate: rate, answered: followed.answered,
	})
	if err == nil {
		err = followed.wait(ctx, r.Good)
	}
	if stopped := stop(); err == nil {
		err = stopped
	}
	if err != nil {
		return err
	}
	took := followed.took()
	line := atMost("from 2xx to fully revoked, p99", inMillis(took.quantile(0.99)), 25)
	line.Note = fmt.Sprintf("at %s/s; p50 %s", grouped(r.throughput()), inMillis(took.quantile(0.5)))
	s.add(placeRevoked, line)
	return nil
}

// followed are logouts whose public events are waited for.
type followed struct {
	first      int            // number of the first session
	requests   map[string]int // by request id: place in the lists below
	answeredAt []time.Time
	toldAt     []time.Time
	events     atomic.Uint64
}

// newFollowed follows those of a crowd who are still logged in, with one
// session each.
func newFollowed(c *crowd, dialectName string) *followed {
	n := c.left()
	f := &followed{
		first: int(c.gone.Load()), requests: make(map[string]int, n),
		answeredAt: make([]time.Time, n), toldAt: make([]time.Time, n),
	}
	scope := string(dialects[dialectName].scope)
	for i := range n {
		f.requests[events.RequestID(scope, c.sessionID(f.first+i))] = i
	}
	return f
}

// answered is called once a session.
func (f *followed) answered(session int, at time.Time) { f.answeredAt[session-f.first] = at }

// told is called by one goroutine.
func (f *followed) told(requestID string, at time.Time) {
	i, ok := f.requests[requestID]
	if !ok || !f.toldAt[i].IsZero() {
		return
	}
	f.toldAt[i] = at
	f.events.Add(1)
}

func (f *followed) wait(ctx context.Context, n uint64) error {
	err := eventually(ctx, eventPatience, func() (bool, error) { return f.events.Load() >= n, nil })
	if err != nil {
		return fmt.Errorf("waiting for public events: %d of %d have come: %w", f.events.Load(), n, err)
	}
	return nil
}

// took returns the times from answers to events. An event that overtook its
// answer took no time.
func (f *followed) took() *histogram {
	h := &histogram{}
	for i, answered := range f.answeredAt {
		if !answered.IsZero() {
			h.add(f.toldAt[i].Sub(answered))
		}
	}
	return h
}
