package workers

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/workers/delivery"
)

// revokeRound is the messages of one pull, while they are worked on.
type revokeRound struct {
	// fresh was delivered for the first time; again may have crashed the
	// process, and is worked on last, one message at a time.
	fresh    []group
	again    []pulled
	pulled   int // messages
	requests int // in them
	release  func()
}

// group is deliveries whose requests share their round trips.
type group struct {
	deliveries []pulled
	requests   []messages.Request // each id once
	ids        map[string]int     // index in requests
}

// open reads the messages of a pull, and keeps them from being delivered again.
func (r *Revoker) open(ctx context.Context, msgs []jetstream.Msg) *revokeRound {
	next := &revokeRound{release: broker.Hold(msgs...), pulled: len(msgs)}
	var fresh []pulled
	for _, msg := range msgs {
		d, ok := r.read(ctx, msg)
		next.requests += len(d.requests)
		switch {
		case !ok:
		case d.deliveries > 1:
			next.again = append(next.again, d)
		default:
			fresh = append(fresh, d)
		}
	}
	for len(fresh) > 0 {
		n := together(fresh)
		next.fresh = append(next.fresh, newGroup(fresh[:n]))
		fresh = fresh[n:]
	}
	return next
}

// together returns how many of the deliveries make a group: at least one, and
// at most roundRequests requests.
func together(deliveries []pulled) (n int) {
	requests := 0
	for n < len(deliveries) {
		requests += len(deliveries[n].requests)
		if n > 0 && requests > roundRequests {
			break
		}
		n++
	}
	return n
}

// newGroup returns a group. Requests of concurrent callers for the same session
// become one, with the earliest cutoff.
func newGroup(deliveries []pulled) group {
	n := 0
	for _, d := range deliveries {
		n += len(d.requests)
	}
	g := group{deliveries: deliveries, requests: make([]messages.Request, 0, n), ids: make(map[string]int, n)}
	for _, d := range deliveries {
		for _, request := range d.requests {
			place, known := g.ids[request.ID]
			if !known {
				g.ids[request.ID] = len(g.requests)
				g.requests = append(g.requests, request)
				continue
			}
			same := &g.requests[place]
			same.Cutoff = messages.EarlierOf(same.Cutoff, request.Cutoff)
			same.AppendedAt = messages.EarlierOf(same.AppendedAt, request.AppendedAt)
		}
	}
	return g
}

// putBack copies the cutoffs that were found to the requests of the deliveries,
// so that requests that are published again have them.
func (g group) putBack() {
	for _, d := range g.deliveries {
		for i := range d.requests {
			d.requests[i].Cutoff = g.requests[g.ids[d.requests[i].ID]].Cutoff
		}
	}
}

// messages returns how many messages of the same length make a full round.
// The busier the front ends, the more requests a message holds.
func (r *revokeRound) messages() int {
	return min(max(roundRequests*r.pulled/max(r.requests, 1), 1), pullMessages)
}

// collides reports whether two rounds cannot be worked on at once: they share a
// request, whose event is published once if one comes after the other; or one of
// them may crash the process, and must not be taken for the other.
func (r *revokeRound) collides(other *revokeRound) bool {
	if len(r.again)+len(other.again) > 0 {
		return true
	}
	for _, mine := range r.fresh {
		for _, theirs := range other.fresh {
			for id := range mine.ids {
				if _, shared := theirs.ids[id]; shared {
					return true
				}
			}
		}
	}
	return false
}

// do works on a round.
func (r *Revoker) do(ctx context.Context, current *revokeRound) {
	defer current.release()
	for _, g := range current.fresh {
		r.work(ctx, g)
	}
	for i, d := range current.again {
		r.workAgain(ctx, d, i == 0)
	}
}

// workAgain works on a message that was delivered before. It splits a batch into
// halves, so that a request that crashes the process does not fail its neighbours,
// and gives up a single request after a few deliveries. Only the first message of
// a round can be to blame: the process may never have reached the others.
func (r *Revoker) workAgain(ctx context.Context, d pulled, first bool) {
	r.Metrics.Redelivered(messages.StepRevoke, "")
	if n := len(d.requests); n > 1 {
		if r.persist(ctx, func(ctx context.Context) error {
			return r.Publisher.Split(ctx, d.requests[:n/2], d.requests[n/2:])
		}) {
			ack(d.msg)
		}
		return
	}
	if !d.requests[0].History.NotBefore.IsZero() {
		d.deliveries-- // one delivery came before the message was due
	}
	if first && d.deliveries > maxDeliveries {
		f := &delivery.Failure{Class: delivery.Permanent, Code: delivery.CodeCrashed,
			Err: errors.New("the process ended each time while it worked on this request")}
		request := d.requests[0]
		request.History = request.History.Failed(
			f.Attempted(messages.StepRevoke, int(d.deliveries), d.deliveries, time.Now()))
		if r.giveUp(ctx, d, request, f) {
			ack(d.msg)
		}
		return
	}
	r.work(ctx, newGroup([]pulled{d}))
}

// work carries the requests of a group out, settles those that failed, and
// acknowledges. While the store or the broker is down it waits, and no failure is
// counted.
func (r *Revoker) work(ctx context.Context, g group) {
	if ctx.Err() != nil { // a shutdown starts nothing new
		r.handBack(ctx, g.deliveries)
		return
	}
	var failures map[string]*delivery.Failure
	var took time.Duration // without pauses
	done := r.persist(ctx, func(ctx context.Context) (err error) {
		start := time.Now()
		if err := r.unfenced.look(ctx, g.deliveries); err != nil {
			return err
		}
		failures, err = r.revoke(ctx, g.requests)
		took = time.Since(start)
		return err
	})
	g.putBack()
	if !done {
		r.handBack(ctx, g.deliveries)
		return
	}
	for _, d := range g.deliveries {
		if r.settle(ctx, d, failures, took) {
			ack(d.msg)
		}
	}
}
