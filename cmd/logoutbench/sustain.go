package main

import (
	"context"
	"fmt"
	"time"
)

const (
	// sustainedConnections is enough for the highest rate.
	sustainedConnections = 256
	// sustainedOldest is how old the oldest pending request may become.
	sustainedOldest = time.Second
	// probeOldest is the same for a probe, which is too short for a backlog
	// that grows slowly to become old.
	probeOldest = 600 * time.Millisecond
	// probes is how many of them narrow the rate down, between the highest and
	// a share of it.
	probes  = 4
	leastOf = 4
	// holds is how often a rate is tried for the whole time, each time lowered
	// to a share of lower. The first is below the lowest that no probe has held:
	// a probe also fails because of how a load begins. One that is too much
	// does not take long to fail.
	holds = 10
	lower = 0.95
)

// sustain returns a run of the whole length at about the highest rate at which
// the oldest pending request stays young. No higher rate than top is tried.
func (b *bench) sustain(ctx context.Context, of *system, c *crowd, top float64, probe, length time.Duration) (*result, error) {
	_, rate, err := b.search(ctx, of, c, top, probe)
	if err != nil {
		return nil, err
	}
	for range holds {
		rate *= lower
		run, ok, err := b.hold(ctx, of, c, rate, length, sustainedOldest)
		if ok || err != nil {
			return run, err
		}
	}
	return nil, fmt.Errorf("no rate was sustained: %s/s was too much", grouped(rate))
}

// search narrows the highest rate down with short probes, to the highest that
// they have held and the lowest that they have not. None is tried again.
func (b *bench) search(ctx context.Context, of *system, c *crowd, top float64, probe time.Duration) (held, failed float64, err error) {
	return narrow(top/leastOf, top, probes, func(rate float64) (bool, error) {
		_, ok, err := b.hold(ctx, of, c, rate, probe, probeOldest)
		return ok, err
	})
}

// hold loads a system at a rate, and tells whether it was held: everything was
// answered well, and no request was pending for longer than oldest. It ends as
// soon as one was.
func (b *bench) hold(ctx context.Context, of *system, c *crowd, rate float64, duration, oldest time.Duration) (*result, bool, error) {
	b.progress.step("open loop, %s logouts/s for %s", grouped(rate), duration)
	if err := b.provide(ctx, of, c, int(rate*duration.Seconds())+1); err != nil {
		return nil, false, err
	}
	if err := of.settled(ctx); err != nil { // what the try before has left
		return nil, false, err
	}
	t, err := newTarget(of.public, dialects["sap_v1"], c.sessions)
	if err != nil {
		return nil, false, err
	}
	runCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := of.watch(ctx, func(now backlog) {
		if now.oldest > oldest {
			cancel()
		}
	})
	run, err := b.load(runCtx, load{target: t, next: c.next, connections: sustainedConnections, duration: duration, rate: rate})
	worst := stop()
	if ctx.Err() != nil {
		return nil, false, ctx.Err()
	}
	if runCtx.Err() != nil {
		b.progress.step("too much: a request was pending for %s", worst.oldest.Round(time.Millisecond))
		return run, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	ok := worst.oldest <= oldest && run.Bad == 0 && run.behind(rate, duration) <= oldest
	if !ok {
		b.progress.step("too much: %s bad answers, the others %s late at the end", grouped(float64(run.Bad)), run.behind(rate, duration).Round(time.Millisecond))
	}
	return run, ok, nil
}

// behind is by how much the answers were behind the rate at the end of a run.
func (r *result) behind(rate float64, duration time.Duration) time.Duration {
	return time.Duration((1 - r.throughput()/rate) * float64(duration))
}
