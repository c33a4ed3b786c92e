package workers

import (
	"context"
	"sync"
	"time"

	"github.com/logoutd/logoutd/events"
)

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
			r.pause.leave()
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
			if r.pause.enter() {
				r.Logger.Warn("paused: store or broker is down", "step", events.StepRevoke, "err", err)
			}
		}
		if !wait(ctx, probes.NextBackOff()) {
			return false
		}
	}
}

// pause is one, however many rounds wait at the same time.
type pause struct {
	metrics *Metrics
	mu      sync.Mutex
	waiting int
}

// enter reports whether the pause has begun with it.
func (p *pause) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting++
	if p.waiting == 1 {
		p.metrics.setPaused(events.StepRevoke, "", true)
	}
	return p.waiting == 1
}

func (p *pause) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting--; p.waiting == 0 {
		p.metrics.setPaused(events.StepRevoke, "", false)
	}
}
