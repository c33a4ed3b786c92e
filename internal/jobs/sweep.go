package jobs

import (
	"context"
	"slices"
	"time"
)

const (
	// keepFor and keepJobs are how long, and how many, finished jobs are kept.
	keepFor  = 90 * 24 * time.Hour
	keepJobs = 1000
	// sweepEvery is how often what is over is looked for.
	sweepEvery = time.Minute
)

// sweepFrom removes what is over until ctx ends.
func (j *Jobs) sweepFrom(ctx context.Context) {
	for ctx.Err() == nil {
		if err := j.sweep(ctx); err != nil && ctx.Err() == nil {
			j.Logger.Debug("old jobs cannot be removed", "err", err)
		}
		select {
		case <-time.After(sweepEvery):
		case <-ctx.Done():
		}
	}
}

// sweep removes plans that expired, jobs finished long ago, and the items of
// those that will not be worked on any more.
func (j *Jobs) sweep(ctx context.Context) error {
	all, err := j.records.all(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(all, newest)
	finished := 0
	for _, r := range all {
		if r.State.Finished() {
			finished++
		}
		switch {
		case r.outdated(), r.State.Finished() && (finished > keepJobs || now().Sub(r.FinishedAt) > keepFor):
			j.forget(ctx, r)
		case r.State == Done, r.State == Cancelled:
			j.drop(ctx, r)
		}
	}
	return nil
}

// forget removes a record with its items, unless it was changed meanwhile.
// Nobody can start it any more once its items go; and none are left without a
// record. What fails here is done by a later sweep.
func (j *Jobs) forget(ctx context.Context, r record) {
	r.State = over
	r, err := j.records.put(ctx, r)
	if err == nil && j.items.remove(ctx, r.ID) == nil {
		_ = j.records.remove(ctx, r)
	}
}

// drop removes the items of a job that will not be worked on any more.
func (j *Jobs) drop(ctx context.Context, r record) {
	if !r.Stored || j.items.remove(ctx, r.ID) != nil {
		return
	}
	r.Stored = false
	_, _ = j.records.put(ctx, r)
}
