package workers

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/logoutd/logoutd/internal/messages"
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
func (t *Target) attempt(ctx context.Context, task messages.Task) (r result) {
	quick := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(100*time.Millisecond), backoff.WithMaxElapsedTime(0))
	for t.try(ctx, task, &r) && r.attempts < quickAttempts && wait(ctx, quick.NextBackOff()) {
	}
	return r
}

// try makes one attempt, unless the task is obsolete, and reports whether
// another one soon may come out better.
func (t *Target) try(ctx context.Context, task messages.Task, r *result) (again bool) {
	obsolete, err := t.obsolete(ctx, task)
	if err != nil {
		r.failure = asFailure(err)
		return false
	}
	if obsolete {
		r.obsolete, r.failure = true, nil
		t.count("obsolete")
		return false
	}
	r.attempts++
	start := time.Now()
	r.failure = t.send(ctx, task)
	r.took += time.Since(start)
	f := r.failure
	return f != nil && f.Class == Transient && f.RetryAfter == 0 && f.Code != codeTimeout
}

// send makes one attempt. One that has begun is not cut off by a shutdown:
// its own timeout bounds it.
func (t *Target) send(ctx context.Context, task messages.Task) *Failure {
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
	t.Metrics.attempts.WithLabelValues(messages.StepPush, t.Name, outcome).Inc()
}

// obsolete reports whether the device has registered again since the cutoff, or
// its push token belongs to a newer registration: then the provider must keep
// what it has. It waits for a store that is down.
func (t *Target) obsolete(ctx context.Context, task messages.Task) (bool, error) {
	check := store.PushCheck{
		User:               store.User{TenantID: task.PushRegistration.TenantID, ID: task.PushRegistration.UserID},
		PushRegistrationID: task.PushRegistration.ID, Cutoff: task.Cutoff.Time,
		Provider: task.PushRegistration.Provider, PushToken: task.PushRegistration.PushToken,
		RegisteredAt: task.PushRegistration.RegisteredAt.Time,
	}
	probes := probeBackOff()
	for {
		anew, err := t.recheck.ask(ctx, check)
		switch {
		case err == nil:
			return anew, nil
		case !errors.Is(err, store.ErrUnavailable):
			return false, &Failure{Class: Transient, Code: codeStore, Err: err}
		case !wait(ctx, probes.NextBackOff()):
			return false, ctx.Err()
		}
	}
}
