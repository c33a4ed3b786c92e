package workers

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/workers/delivery"
)

// handBack publishes interrupted requests as new messages: a shutdown is no
// failure, and must not look like a crash at the next delivery. If the broker is
// down too, they are delivered again.
func (r *Revoker) handBack(ctx context.Context, deliveries []pulled) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), broker.AckWait)
	defer cancel()
	for _, d := range deliveries {
		if r.Publisher.Split(ctx, d.requests) == nil {
			ack(d.msg)
		}
	}
}

// settle publishes the failed requests of a message again, or gives them up.
func (r *Revoker) settle(ctx context.Context, d pulled, failures map[string]*delivery.Failure, took time.Duration) bool {
	for _, request := range d.requests {
		f := failures[request.ID]
		if f == nil {
			continue
		}
		now := time.Now()
		failed := request.History.Failed(f.Attempted(messages.StepRevoke, 1, d.deliveries, now))
		var retry bool
		if request.History, retry = r.Retry.Next(failed, f, took, now); !retry {
			if !r.giveUp(ctx, d, request, f) {
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

// persist repeats do until it succeeds, because nothing else can be done before.
// It returns false if ctx ends first.
func (r *Revoker) persist(ctx context.Context, do func(context.Context) error) bool {
	probes := delivery.Probes()
	paused := false
	defer func() {
		if paused {
			r.pause.leave()
		}
	}()
	for {
		// A shutdown does not interrupt an attempt.
		err := do(context.WithoutCancel(ctx))
		if err == nil {
			return true
		}
		if !paused {
			paused = true
			if r.pause.enter(pauseCode(err)) {
				r.logPause(ctx, err)
			}
		}
		if !wait(ctx, probes.NextBackOff()) {
			return false
		}
	}
}

// logPause logs what the revoker waits for.
func (r *Revoker) logPause(ctx context.Context, err error) {
	if errors.Is(err, broker.ErrUnavailable) {
		broker.LogFailure(ctx, r.Logger, r.JetStream, "paused: broker is down", "step", messages.StepRevoke, "err", err)
		return
	}
	r.Logger.Warn("paused: store is down", "step", messages.StepRevoke, "err", err)
}

// pauseCode returns the code of what is down.
func pauseCode(err error) string {
	if errors.Is(err, store.ErrUnavailable) {
		return delivery.CodeStoreDown
	}
	return delivery.CodeBrokerDown
}

// pause is one pause, however many rounds wait at the same time.
type pause struct {
	metrics      *Metrics
	announcement *delivery.Announcement
	mu           sync.Mutex
	waiting      int
}

// enter adds a waiting round. It reports whether that began the pause; code says
// why.
func (p *pause) enter(code string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting++
	if p.waiting == 1 {
		p.metrics.Paused(messages.StepRevoke, "")
		p.announcement.Set(true, code, false)
	}
	return p.waiting == 1
}

func (p *pause) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting--; p.waiting == 0 {
		p.metrics.Running(messages.StepRevoke, "")
		p.announcement.Set(false, "", false)
	}
}

// wait waits for d or until ctx ends, and reports whether it waited to the end.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
