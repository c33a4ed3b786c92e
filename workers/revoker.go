package workers

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/store"
)

const (
	// pullMessages bounds how many messages one round of the revoker takes,
	// and roundRequests about how many requests share their round trips: the
	// busier the front ends, the more requests a message holds.
	pullMessages  = 64
	roundRequests = 512
	// maxDeliveries is how often a request that stands alone is delivered
	// before it is taken to crash the process.
	maxDeliveries = 5
)

// RevokerConfig configures a [Revoker]. All fields without a default are
// required.
type RevokerConfig struct {
	JetStream jetstream.JetStream
	Publisher *events.Publisher
	Store     store.Store
	// Providers are the push providers that are told; registrations with
	// another one are deleted and told to nobody.
	Providers []string
	// PublishUnknown makes a public event also of a session that the store
	// does not know, because sessions are kept elsewhere. Default: nothing is
	// to be done for it.
	PublishUnknown bool
	// UnknownTTL is how long subscribers are told to remember a session that
	// the store does not know. Default store.DefaultRetention.
	UnknownTTL time.Duration
	Retry      Retry
	Metrics    *Metrics
	Logger     *slog.Logger
}

func (c RevokerConfig) unknownTTL() time.Duration { return or(c.UnknownTTL, store.DefaultRetention) }

// Revoker consumes logout requests in batches, does the store's part of them,
// and publishes what targets and subscribers have to know.
type Revoker struct {
	RevokerConfig
	puller    *puller
	providers map[string]bool
}

// NewRevoker returns a revoker that has not started.
func NewRevoker(c RevokerConfig) *Revoker {
	r := &Revoker{
		RevokerConfig: c,
		puller:        newPuller(c.JetStream, events.StreamRequests, events.ConsumerRevoker, events.SubjectRequests),
		providers:     map[string]bool{},
	}
	for _, name := range c.Providers {
		r.providers[name] = true
	}
	return r
}

// Run works until ctx ends, then finishes what it holds. It returns nil.
func (r *Revoker) Run(ctx context.Context) error {
	r.Metrics.paused.WithLabelValues(events.StepRevoke, "").Set(0)
	probes := probeBackOff()
	for ctx.Err() == nil {
		msgs, err := r.puller.pull(ctx, pullMessages)
		if err != nil && ctx.Err() == nil {
			r.Logger.Warn("requests cannot be pulled", "step", events.StepRevoke, "err", err)
			wait(ctx, probes.NextBackOff())
			continue
		}
		probes.Reset()
		if len(msgs) > 0 {
			r.round(ctx, msgs)
		}
	}
	return nil
}

// round works on the messages of one pull. Those delivered for the first time
// share their round trips; one that was delivered before may have crashed the
// process, and is worked on alone and last.
func (r *Revoker) round(ctx context.Context, msgs []jetstream.Msg) {
	release := hold(msgs...)
	defer release()
	var fresh []delivery
	var again []delivery
	for _, msg := range msgs {
		d, ok := r.open(ctx, msg)
		switch {
		case !ok:
		case d.deliveries > 1:
			again = append(again, d)
		default:
			fresh = append(fresh, d)
		}
	}
	for len(fresh) > 0 {
		n := together(fresh)
		r.work(ctx, fresh[:n])
		fresh = fresh[n:]
	}
	for i, d := range again {
		r.workAgain(ctx, d, i == 0)
	}
}

// together returns how many of the deliveries hold about roundRequests.
func together(deliveries []delivery) (n int) {
	for requests := 0; n < len(deliveries) && requests < roundRequests; n++ {
		requests += len(deliveries[n].requests)
	}
	return n
}

// workAgain works on a message that was delivered before: it splits a batch
// into halves, so that a request that crashes the process takes no neighbours
// along, and gives up a request that stands alone after a few deliveries. Only
// the first of a round can be to blame: those behind it were delivered as
// often, but may never have been reached.
func (r *Revoker) workAgain(ctx context.Context, d delivery, first bool) {
	r.Metrics.redeliveries.WithLabelValues(events.StepRevoke, "").Inc()
	if n := len(d.requests); n > 1 {
		if r.persist(ctx, func(ctx context.Context) error {
			return r.Publisher.Split(ctx, d.requests[:n/2], d.requests[n/2:])
		}) {
			ack(d.msg)
		}
		return
	}
	if !d.requests[0].History.NotBefore.IsZero() {
		d.deliveries-- // the one that came before it was due
	}
	if first && d.deliveries > maxDeliveries {
		f := &Failure{Class: Permanent, Code: codeCrashed,
			Err: errors.New("the process ended each time while it worked on this request")}
		if r.giveUp(ctx, d, d.requests[0], f, int(d.deliveries)) {
			ack(d.msg)
		}
		return
	}
	r.work(ctx, []delivery{d})
}

// work does the requests of deliveries together, settles what failed, and
// acknowledges. While the store or the broker is down it waits; nothing is
// counted against any request.
func (r *Revoker) work(ctx context.Context, deliveries []delivery) {
	requests := distinct(deliveries)
	if len(requests) == 0 {
		return
	}
	if ctx.Err() != nil { // what has not begun is not begun any more
		r.handBack(ctx, deliveries)
		return
	}
	var failures map[string]*Failure
	var took time.Duration // without pauses
	if !r.persist(ctx, func(ctx context.Context) (err error) {
		start := time.Now()
		failures, err = r.revoke(ctx, requests)
		took = time.Since(start)
		return err
	}) {
		r.handBack(ctx, deliveries)
		return
	}
	for _, d := range deliveries {
		if r.settle(ctx, d, failures, took) {
			ack(d.msg)
		}
	}
}

// handBack publishes what a shutdown interrupted as new messages: an
// interruption is no failure, and must not look like a crash when the requests
// are delivered next. Where the broker is down too, they are delivered again.
func (r *Revoker) handBack(ctx context.Context, deliveries []delivery) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), events.AckWait)
	defer cancel()
	for _, d := range deliveries {
		if r.Publisher.Split(ctx, d.requests) == nil {
			ack(d.msg)
		}
	}
}

// settle publishes the requests of a delivery that failed by themselves
// again, or gives them up.
func (r *Revoker) settle(ctx context.Context, d delivery, failures map[string]*Failure, took time.Duration) bool {
	for _, request := range d.requests {
		f := failures[request.ID]
		if f == nil {
			continue
		}
		history, retry := r.Retry.next(request.History, f, 1, took, time.Now())
		request.History = history
		if !retry {
			if !r.giveUp(ctx, d, request, f, 0) {
				return false
			}
			continue
		}
		if !r.persist(ctx, func(ctx context.Context) error { return r.Publisher.Again(ctx, request, d.seq) }) {
			return false
		}
	}
	return true
}

// persist does something that has to be done before anything else can be,
// until it is done. Only the end of ctx stops it; then it returns false.
func (r *Revoker) persist(ctx context.Context, do func(context.Context) error) bool {
	probes := probeBackOff()
	paused := false
	defer func() {
		if paused {
			r.Metrics.setPaused(events.StepRevoke, "", false)
		}
	}()
	for {
		// What has begun is finished, also when a shutdown comes.
		err := do(context.WithoutCancel(ctx))
		if err == nil {
			return true
		}
		if !paused {
			paused = true
			r.Metrics.setPaused(events.StepRevoke, "", true)
			r.Logger.Warn("paused: store or broker is down", "step", events.StepRevoke, "err", err)
		}
		if !wait(ctx, probes.NextBackOff()) {
			return false
		}
	}
}
