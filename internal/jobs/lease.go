package jobs

import (
	"context"
	"errors"
	"sync"
	"time"
)

// times are those of a lease.
type times struct {
	// renew is how often the owner of a job changes its record at least.
	renew time.Duration
	// life is for how long after a change an owner goes on without another.
	// It ends well before timeout, which others count from a later time on:
	// when they have seen the change.
	life time.Duration
	// timeout is how long a record stands still before the job is taken over.
	timeout time.Duration
}

var defaultTimes = times{renew: LeaseTimeout / 5, life: LeaseTimeout * 4 / 5, timeout: LeaseTimeout}

// errLost says that the lease of a job has gone to another process, or may
// have.
var errLost = errors.New("another process may have taken the job over")

// lease is the right to work on a job. Its holder alone writes the progress.
type lease struct {
	*Jobs
	lost   func()      // is called when it may be lost
	expiry *time.Timer // calls lost

	mu   sync.Mutex
	held record
}

// take takes the lease of a job that nobody holds. Another process may be
// quicker.
func (j *Jobs) take(ctx context.Context, r record, lost func()) (*lease, error) {
	asked := time.Now()
	r.Again = r.Again || r.Owner != "" // who did not give it back may have been at work
	r.Owner = j.id
	r, err := j.records.put(ctx, r)
	if err != nil {
		return nil, err
	}
	return &lease{Jobs: j, lost: lost, expiry: time.AfterFunc(time.Until(asked.Add(j.times.life)), lost), held: r}, nil
}

// record returns the job as it is known here.
func (l *lease) record() record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held
}

// note changes the record without writing it: it goes out with the next write.
func (l *lease) note(change func(*record)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.held)
}

// write changes the record and renews the lease. It fails with errLost, or
// because the broker is away; then nothing has changed here.
func (l *lease) write(ctx context.Context, change func(*record)) error {
	before, after, err := l.swap(ctx, change)
	if ended := after.State == Done || after.State == Failed; err == nil && ended && before.State != after.State {
		l.Changed(before.Job, after.Job)
	}
	return err
}

// swap returns the record as it was known here before, and as it is written.
func (l *lease) swap(ctx context.Context, change func(*record)) (before, after record, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before = l.held
	for {
		next := l.held
		change(&next)
		asked := time.Now()
		after, err = l.records.put(ctx, next)
		if err == nil {
			l.held = after
			l.expiry.Reset(time.Until(asked.Add(l.times.life)))
			return before, after, nil
		}
		if errors.Is(err, errConflict) {
			err = l.reread(ctx)
		}
		if err != nil {
			return before, after, err
		}
	}
}

// reread takes over what somebody else has changed: an operator the state, or
// another process the lease. It may also be what was written here, where no
// answer came.
func (l *lease) reread(ctx context.Context) error {
	stored, err := l.records.get(ctx, l.held.ID)
	if errors.Is(err, ErrNoJob) || err == nil && stored.Owner != l.id {
		l.lost()
		return errLost
	}
	if err != nil {
		return err
	}
	l.held.adopt(stored)
	return nil
}

// giveBack lets another process go on at once. Nothing must be written after.
func (l *lease) giveBack(ctx context.Context) error {
	defer l.expiry.Stop()
	return l.write(ctx, func(r *record) {
		r.Owner = ""
		if !r.State.Finished() {
			r.PerSecond = 0
		}
	})
}
