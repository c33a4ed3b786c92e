package workers

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/store"
)

// quickAttempts is how often a task is tried within one delivery, as long as
// the target answers with an error that may pass at once.
const quickAttempts = 3

// result is what came of a task within one delivery.
type result struct {
	attempts int
	took     time.Duration // by the attempts, without waits for the store
	obsolete bool          // the device has registered anew
	failure  *Failure      // of the last attempt; nil: the task is done
}

// attempt tells the target, a few times in quick succession where that may
// help.
func (t *Target) attempt(ctx context.Context, task events.Task) (r result) {
	quick := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(100*time.Millisecond), backoff.WithMaxElapsedTime(0))
	operation := func() (err error) {
		if r.obsolete, err = t.obsolete(ctx, task); err != nil {
			return backoff.Permanent(err)
		}
		if r.obsolete {
			t.count("obsolete")
			return nil
		}
		r.attempts++
		start := time.Now()
		failure := t.send(ctx, task)
		r.took += time.Since(start)
		if failure == nil {
			return nil
		}
		if failure.Class != Transient || failure.RetryAfter > 0 || failure.Code == codeTimeout {
			return backoff.Permanent(failure)
		}
		return failure
	}
	err := backoff.Retry(operation, backoff.WithContext(backoff.WithMaxRetries(quick, quickAttempts-1), ctx))
	if err != nil {
		r.failure = asFailure(err)
	}
	return r
}

// send makes one attempt. One that has begun is not cut off by a shutdown:
// its own timeout bounds it.
func (t *Target) send(ctx context.Context, task events.Task) *Failure {
	err := t.Sender.Send(context.WithoutCancel(ctx), task)
	if err == nil {
		t.count("ok")
		return nil
	}
	f := asFailure(err)
	t.count(f.Code)
	return f
}

func (t *Target) count(outcome string) {
	t.Metrics.attempts.WithLabelValues(events.StepPush, t.Name, outcome).Inc()
}

// obsolete reports whether the device has registered anew since the cutoff:
// then the provider must keep what it has. It waits for a store that is down.
func (t *Target) obsolete(ctx context.Context, task events.Task) (bool, error) {
	check := store.PushCheck{
		User:               store.User{TenantID: task.PushRegistration.TenantID, ID: task.PushRegistration.UserID},
		PushRegistrationID: task.PushRegistration.ID, Cutoff: task.Cutoff.Time,
	}
	probes := probeBackOff()
	for {
		results, err := t.Store.Reregistered(ctx, []store.PushCheck{check})
		switch {
		case err == nil:
			return results[0], nil
		case !errors.Is(err, store.ErrUnavailable):
			return false, &Failure{Class: Transient, Code: codeStore, Err: err}
		case !wait(ctx, probes.NextBackOff()):
			return false, ctx.Err()
		}
	}
}
