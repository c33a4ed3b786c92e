package jobs

import (
	"context"
	"time"
)

// Quicken makes leases of j so many times shorter.
func Quicken(j *Jobs, factor time.Duration) {
	j.times.renew /= factor
	j.times.life /= factor
	j.times.timeout /= factor
}

// Sweep removes what is over.
func (j *Jobs) Sweep() error { return j.sweep(context.Background()) }

// Age moves the end of a plan, or of a job, into the past.
func (j *Jobs) Age(ctx context.Context, id string, d time.Duration) error {
	r, err := j.records.get(ctx, id)
	if err != nil {
		return err
	}
	r.ExpiresAt, r.FinishedAt = r.ExpiresAt.Add(-d), r.FinishedAt.Add(-d)
	_, err = j.records.put(ctx, r)
	return err
}

// Tempo is what holds the rate of a job.
type Tempo = tempo

// NewTempo returns the tempo of a job that begins now.
func NewTempo(limit float64) *Tempo { return newTempo(limit, 0) }

// Batch is how many items are done at once.
func (t *tempo) Batch() int { return t.batch }

// Wait waits until so many items may be done.
func (t *tempo) Wait(ctx context.Context, items int) error { return t.wait(ctx, items) }

// Speed is how many items a second were done of late.
func (t *tempo) Speed(position int) float64 { return t.speed(position) }
