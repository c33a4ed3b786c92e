package workers

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// revoke does requests completely: what the store has to do, the tasks for
// the targets and the public events. It returns the failures of single
// requests by id. An error means that the store or the broker is down and any
// part may have been done; doing it again is harmless.
func (r *Revoker) revoke(ctx context.Context, requests []messages.Request) (map[string]*Failure, error) {
	failures, err := r.revokeTogether(ctx, requests)
	if err == nil || errors.Is(err, store.ErrUnavailable) || errors.Is(err, broker.ErrUnavailable) {
		return failures, err
	}
	if len(requests) == 1 {
		f := asFailure(err)
		r.attempt(f.Code, 1)
		return map[string]*Failure{requests[0].ID: f}, nil
	}
	// Something unforeseen with one of them: find it.
	half := len(requests) / 2
	failures, err = r.revoke(ctx, requests[:half])
	if err != nil {
		return nil, err
	}
	more, err := r.revoke(ctx, requests[half:])
	for id, f := range more {
		failures[id] = f
	}
	return failures, err
}

// batch is what the stages share.
type batch struct {
	items    []*item
	failures map[string]*Failure
}

// item is one request on its way through the stages.
type item struct {
	request messages.Request
	asked   *messages.Request // as it is put back: once fenced late, with that cutoff
	// revocation is the store's part; nil where the store knows neither
	// session nor user.
	revocation *store.Revocation
	revoked    store.Revoked
	finished   events.Time
}

func (b *batch) fail(it *item, f *Failure) { b.failures[it.request.ID] = f }

// live returns the items that have not failed and that the store knows.
func (b *batch) live() []*item {
	var live []*item
	for _, it := range b.items {
		if it.revocation != nil && b.failures[it.request.ID] == nil {
			live = append(live, it)
		}
	}
	return live
}

func (r *Revoker) revokeTogether(ctx context.Context, requests []messages.Request) (map[string]*Failure, error) {
	b := &batch{items: make([]*item, len(requests)), failures: map[string]*Failure{}}
	items := make([]item, len(requests))
	for i, request := range requests {
		items[i].request, items[i].asked = request, &requests[i]
		b.items[i] = &items[i]
	}
	for _, stage := range []func(context.Context, *batch) error{r.resolve, r.mark, r.tell, r.finish} {
		if err := stage(ctx, b); err != nil {
			return nil, err
		}
	}
	for _, it := range b.items {
		r.count(it, b.failures[it.request.ID])
	}
	return b.failures, nil
}

// mark lets the store write the cutoffs and mark what goes.
func (r *Revoker) mark(ctx context.Context, b *batch) error {
	live := b.live()
	if len(live) == 0 {
		return nil
	}
	results, err := r.Store.Revoke(ctx, revocations(live))
	if err != nil {
		return err
	}
	for i, it := range live {
		it.revoked = results[i]
		if n := results[i].Ahead; n > 0 {
			r.Metrics.ahead.Add(float64(n))
			r.Logger.Warn("revoked what is later than the cutoff, because its time is ahead of the store's clock: check the clock of the service that wrote it",
				"step", messages.StepRevoke, "request_id", it.request.ID, "user_id", it.revocation.User.ID, "ahead", n)
		}
		if results[i].Err != nil {
			b.fail(it, &Failure{Class: Transient, Code: codeStore, Err: results[i].Err})
		}
	}
	return nil
}

// tell publishes the tasks, then the public events.
func (r *Revoker) tell(ctx context.Context, b *batch) error {
	var tasks, public []*nats.Msg
	var untold []string // providers of push registrations that are deleted without telling anybody
	for _, it := range b.items {
		if b.failures[it.request.ID] != nil || it.revoked.Done {
			continue
		}
		it.finished = events.At(time.Now())
		for _, reg := range it.revoked.PushRegistrations {
			if !r.providers[reg.Provider] {
				untold = append(untold, reg.Provider)
				continue
			}
			msg, err := newPushTask(it, reg)
			if err != nil {
				return err
			}
			tasks = append(tasks, msg)
		}
		if it.revocation == nil && !r.PublishUnknown {
			continue
		}
		msg, err := messages.RevokedMessage(r.public(it), it.request.TraceParent)
		if err != nil {
			return err
		}
		public = append(public, msg)
	}
	if err := r.Publisher.All(ctx, tasks); err != nil {
		return err
	}
	if err := r.Publisher.All(ctx, public); err != nil {
		return err
	}
	if r.Untold != nil {
		for _, name := range untold {
			r.Untold(name)
		}
	}
	return nil
}

// finish lets the store forget what was told.
func (r *Revoker) finish(ctx context.Context, b *batch) error {
	live := b.live()
	if len(live) == 0 {
		return nil
	}
	results, err := r.Store.Finish(ctx, revocations(live))
	if err != nil {
		return err
	}
	for i, it := range live {
		if results[i] != nil {
			b.fail(it, &Failure{Class: Transient, Code: codeStore, Err: results[i]})
		}
	}
	return nil
}

func revocations(items []*item) []store.Revocation {
	list := make([]store.Revocation, len(items))
	for i, it := range items {
		list[i] = *it.revocation
	}
	return list
}

// count measures the end of an item.
func (r *Revoker) count(it *item, f *Failure) {
	switch {
	case f != nil:
		r.attempt(f.Code, 1)
		return
	case it.revoked.Done:
		r.Metrics.done(outcomeRepeated, it.request.RequestedAt.Time)
	case it.revocation == nil && !r.PublishUnknown:
		r.Metrics.done(outcomeUnknown, it.request.RequestedAt.Time)
	default:
		r.Metrics.done(outcomeDone, it.request.RequestedAt.Time)
	}
	r.attempt("ok", 1)
}

func (r *Revoker) attempt(outcome string, n int) {
	r.Metrics.attempts.WithLabelValues(messages.StepRevoke, "", outcome).Add(float64(n))
}
