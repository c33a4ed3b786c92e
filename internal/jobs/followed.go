package jobs

import (
	"context"
	"encoding/json"
	"maps"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Counts of a job that is followed, besides those of its work. Together they
// are what it handed to the workers.
const (
	CountDelivered   = "delivered"    // done, or not needed any more
	CountFailedAgain = "failed_again" // a dead letter, since the job began
	CountPending     = "pending"      // waiting for a worker or a target
	CountNotKnown    = "not_known"    // nobody can tell any more
)

// Follower is a [Work] that hands items to the workers. Its job is not done
// when all are handed over, but when it is known what became of them.
type Follower interface {
	Work
	// Mark returns where the streams are, before the first batch. It is kept
	// with the job. Errors are as those of Do.
	Mark(ctx context.Context) (json.RawMessage, error)
	// Follow returns what looks at the job's items, all of which are handed
	// over. It is called again by a process that takes the job over.
	Follow(job Job, mark json.RawMessage) (Look, error)
}

// Look finds out what became of the items so far. Errors are as those of
// [Work.Do].
type Look func(ctx context.Context) (Outcome, error)

// Outcome is what became of the items of a job so far.
type Outcome struct {
	Handed  int // items handed to the workers
	Failed  int
	Pending int
	// NotKnown says why the rest cannot be known any more; empty: it can.
	NotKnown string
}

// counts returns the outcome as counts of the job.
func (o Outcome) counts() map[string]int {
	rest := o.Handed - o.Failed
	if o.NotKnown != "" {
		return map[string]int{CountFailedAgain: o.Failed, CountNotKnown: rest}
	}
	return map[string]int{CountFailedAgain: o.Failed, CountPending: o.Pending, CountDelivered: rest - o.Pending}
}

const (
	// lookAfter and maxLookAfter are how long to wait before the next look: an
	// operator watches at first, and a target may be paused for days.
	lookAfter    = 200 * time.Millisecond
	maxLookAfter = 10 * time.Second
	// lookShare bounds the share of time that is spent looking, to one of so
	// many parts: a look may have to read 100,000 deliveries.
	lookShare = 10
)

// follower is what follows one job while its lease is held.
type follower struct {
	look   Look
	last   *Outcome // of the look before; nil: there was none
	delays *backoff.ExponentialBackOff
}

func newFollower(look Look) *follower {
	return &follower{look: look, delays: backoff.NewExponentialBackOff(backoff.WithInitialInterval(lookAfter),
		backoff.WithMaxInterval(maxLookAfter), backoff.WithMaxElapsedTime(0))}
}

// mark has the mark written before the first item is done.
func (r *run) mark(holding context.Context, job record) error {
	f, ok := r.work.(Follower)
	if !ok || job.Mark != nil || job.Position > 0 {
		return nil
	}
	mark, err := f.Mark(holding)
	if err != nil {
		return err
	}
	return r.untilWritten(holding, func(job *record) { job.Mark = mark })
}

// follow looks once, writes what is new, and waits for the next look. The job
// is done after two equal looks that found nothing pending.
func (r *run) follow(going, holding context.Context, job record) error {
	if r.follower == nil {
		look, err := r.work.(Follower).Follow(job.Job, job.Mark)
		if err != nil {
			return err
		}
		r.follower = newFollower(look)
	}
	f, began := r.follower, time.Now()
	o, err := f.look(going)
	if err != nil {
		return err
	}
	took := time.Since(began)
	same := f.last != nil && *f.last == o
	ended := o.NotKnown != "" || same && o.Pending == 0
	if !same || ended || job.Error != "" {
		f.delays.Reset()
		if err := r.untilWritten(holding, func(job *record) { job.follow(o, ended) }); err != nil {
			return err
		}
	}
	f.last = &o
	if !ended {
		pause(going, max(f.delays.NextBackOff(), lookShare*took))
	}
	return nil
}

// follow takes in what a look found. The job may have been paused or cancelled
// meanwhile.
func (r *record) follow(o Outcome, ended bool) {
	r.Counts = maps.Clone(r.Counts)
	maps.DeleteFunc(r.Counts, func(what string, _ int) bool { return isFollowed(what) })
	for what, n := range o.counts() {
		if n > 0 {
			r.Counts[what] = n
		}
	}
	r.Error = ""
	switch {
	case r.State == Cancelled:
		r.abandon()
	case ended:
		r.finish(Done)
		if r.Counts[CountNotKnown] > 0 {
			r.Error = "what became of some items is not known: " + o.NotKnown
		}
	}
}

func isFollowed(what string) bool {
	switch what {
	case CountDelivered, CountFailedAgain, CountPending, CountNotKnown:
		return true
	}
	return false
}

// abandon says of what a cancelled job did not wait for that it is not known.
func (r *record) abandon() {
	if n := r.Counts[CountPending]; n > 0 {
		r.Counts = maps.Clone(r.Counts)
		delete(r.Counts, CountPending)
		r.Counts[CountNotKnown] += n
	}
}
