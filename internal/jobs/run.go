package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v4"
	"golang.org/x/sync/errgroup"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/store"
)

// grace is how long a batch under way may take when the process stops.
const grace = 2 * time.Second

// maxRetryAfter is how long to wait at most before work is tried again that
// was held up.
const maxRetryAfter = 5 * time.Second

// run is the work on one job while its lease is held.
type run struct {
	*lease
	work Work
	// tempo is used by the work itself, and by what it writes.
	tempo *tempo
	part  []Item // that was read last
	index int    // of the part
	woken chan struct{}
	// follower is set once all items are handed to the workers.
	follower *follower
}

// wake tells a run that somebody else may have changed its job.
func wake(woken chan<- struct{}) {
	select {
	case woken <- struct{}{}:
	default:
	}
}

// work takes the lease of a job and works on it until it is done, or somebody
// stops it, or ctx ends, or the lease is lost.
func (j *Jobs) work(ctx context.Context, job record, woken chan struct{}) {
	holding, lose := context.WithCancel(context.WithoutCancel(ctx))
	defer lose()
	stopping := context.AfterFunc(ctx, func() { time.AfterFunc(grace, lose) })
	defer stopping()
	l, err := j.take(ctx, job, lose)
	if err != nil {
		return // another process was quicker, or the broker is away
	}
	logger := j.Logger.With("job", job.ID, "kind", job.Kind)
	logger.Info("working on job", "position", job.Position, "total", job.Total)
	r := &run{lease: l, work: j.Works[job.Kind], index: -1, woken: woken}
	r.hold(ctx, holding)
	if err := l.giveBack(context.WithoutCancel(ctx)); err != nil {
		logger.Warn("job given up", "err", err)
		return
	}
	left := l.record()
	logger.Info("stopped working on job", "state", left.State, "position", left.Position, "err", left.Error)
}

// hold works on the job, and renews the lease meanwhile.
func (r *run) hold(ctx, holding context.Context) {
	going, stop := context.WithCancel(holding)
	stopping := context.AfterFunc(ctx, stop)
	defer stopping()
	var group errgroup.Group
	group.Go(func() error {
		defer stop()
		r.loop(going, holding)
		return nil
	})
	r.keep(going, holding, stop)
	_ = group.Wait()
}

// keep renews the lease until the work has stopped, and stops it once the job
// is not to be worked on any more.
func (r *run) keep(going, holding context.Context, stop func()) {
	for {
		select {
		case <-r.woken:
		case <-time.After(r.times.renew):
		case <-going.Done():
			return
		}
		_ = r.write(holding, func(*record) {}) // the lease expires if this goes on failing
		if r.record().State != Running {
			stop()
		}
	}
}

// loop does batch after batch. Going ends when no other is to be begun,
// holding when the one under way must end.
func (r *run) loop(going, holding context.Context) {
	delays := backoff.NewExponentialBackOff(backoff.WithInitialInterval(retryAfter), backoff.WithMaxInterval(maxRetryAfter),
		backoff.WithMaxElapsedTime(0))
	r.tempo = newTempo(r.record().Rate, r.record().Position)
	for going.Err() == nil && r.record().State == Running {
		err := r.step(going, holding)
		switch {
		case err == nil:
			delays.Reset()
		case going.Err() != nil:
		case temporary(err):
			r.note(func(job *record) { job.Error, job.PerSecond = err.Error(), 0 })
			pause(going, delays.NextBackOff())
			r.tempo = newTempo(r.record().Rate, r.record().Position)
		default:
			r.fail(holding, err)
		}
	}
}

// temporary reports whether work that failed is to be done again.
func temporary(err error) bool {
	return errors.Is(err, broker.ErrUnavailable) || errors.Is(err, store.ErrUnavailable) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// step does the next batch, or finds out what became of all of them.
func (r *run) step(going, holding context.Context) error {
	job := r.record()
	if job.Position >= job.Total {
		return r.follow(going, holding, job)
	}
	if err := r.mark(holding, job); err != nil {
		return err
	}
	return r.batch(going, holding)
}

// batch does the next items and counts them.
func (r *run) batch(going, holding context.Context) error {
	job := r.record()
	items, err := r.next(going, job)
	if err != nil {
		return err
	}
	if err := r.tempo.wait(going, len(items)); err != nil {
		return err
	}
	counts, err := r.work.Do(holding, job.Job, items)
	if err != nil {
		r.note(func(job *record) { job.Again = true })
		return err
	}
	done := batch{len(items), counts, r.tempo.worked(), r.tempo.speed(job.Position + len(items))}
	return r.untilWritten(holding, func(job *record) { job.count(done) })
}

// next returns the items of the next batch: they end with their part.
func (r *run) next(ctx context.Context, job record) ([]Item, error) {
	if index := job.Position / partItems; index != r.index {
		part, err := r.items.read(ctx, job.ID, index)
		if err != nil {
			return nil, err
		}
		r.part, r.index = part, index
	}
	from := job.Position % partItems
	if from >= len(r.part) {
		return nil, errItemsGone
	}
	return r.part[from:min(from+r.tempo.batch, len(r.part))], nil
}

func (r *run) fail(ctx context.Context, err error) {
	_ = r.untilWritten(ctx, func(job *record) {
		if job.State == Running {
			job.Error = err.Error()
			job.finish(Failed)
		}
	})
}

// untilWritten writes what was done for as long as the lease is held: nobody
// should have to do it again.
func (r *run) untilWritten(ctx context.Context, change func(*record)) error {
	for {
		err := r.write(ctx, change)
		if err == nil || errors.Is(err, errLost) || ctx.Err() != nil {
			return err
		}
		pause(ctx, retryAfter)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
