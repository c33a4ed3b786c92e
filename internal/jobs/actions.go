package jobs

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Pause holds a running job; the batch under way is ended and counted.
func (j *Jobs) Pause(ctx context.Context, id, by string) (Job, error) {
	return j.act(ctx, id, by, []State{Running}, func(r *record) { r.State, r.PerSecond = Paused, 0 })
}

// Resume goes on with a job that is paused or failed.
func (j *Jobs) Resume(ctx context.Context, id, by string) (Job, error) {
	return j.act(ctx, id, by, []State{Paused, Failed}, func(r *record) {
		r.State, r.Error, r.FinishedAt = Running, "", time.Time{}
	})
}

// Cancel ends a job that is running or paused; the batch under way is ended
// and counted. What it handed to the workers is done all the same: the job no
// longer waits for it.
func (j *Jobs) Cancel(ctx context.Context, id, by string) (Job, error) {
	return j.act(ctx, id, by, []State{Running, Paused}, func(r *record) { r.finish(Cancelled) })
}

// act changes a job that is in one of the states given.
func (j *Jobs) act(ctx context.Context, id, by string, from []State, change func(*record)) (Job, error) {
	for {
		r, err := j.job(ctx, id)
		if err != nil {
			return Job{}, err
		}
		if !slices.Contains(from, r.State) {
			return r.Job, ErrState
		}
		before := r.Job
		change(&r)
		r.LastActionBy = by
		r, err = j.records.put(ctx, r)
		if errors.Is(err, errConflict) {
			continue // its owner wrote its progress
		}
		if err != nil {
			return Job{}, err
		}
		j.Changed(before, r.Job)
		return r.Job, nil
	}
}
