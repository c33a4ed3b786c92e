package workers

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/workers/delivery"
)

// revoke carries requests out: the store's part, the deliveries and the public
// events. It returns the failures of single requests by id. An error means that
// the store or the broker is down; any part may have been done, and doing it again
// is harmless.
func (r *Revoker) revoke(ctx context.Context, requests []messages.Request) (map[string]*delivery.Failure, error) {
	failures, err := r.revokeTogether(ctx, requests)
	if err == nil || errors.Is(err, store.ErrUnavailable) || errors.Is(err, broker.ErrUnavailable) {
		return failures, err
	}
	if len(requests) == 1 {
		f := delivery.AsFailure(err)
		r.attempt(f.Code, 1)
		return map[string]*delivery.Failure{requests[0].ID: f}, nil
	}
	// One of them causes an unexpected error: find it by halving.
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
	failures map[string]*delivery.Failure
}

// item is one request on its way through the stages.
type item struct {
	request messages.Request
	asked   *messages.Request // as it is published again: with the cutoff of a late fence
	// revocation is the store's part; nil if the store knows neither session
	// nor user.
	revocation *store.Revocation
	revoked    store.Revoked
	finished   events.Time
}

func (b *batch) fail(it *item, f *delivery.Failure) { b.failures[it.request.ID] = f }

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

func (r *Revoker) revokeTogether(ctx context.Context, requests []messages.Request) (map[string]*delivery.Failure, error) {
	b := &batch{items: make([]*item, len(requests)), failures: map[string]*delivery.Failure{}}
	items := make([]item, len(requests))
	for i, request := range requests {
		items[i].request, items[i].asked = request, &requests[i]
		b.items[i] = &items[i]
	}
	for _, stage := range []func(context.Context, *batch) error{r.resolve, r.mark, r.publish, r.finish} {
		if err := stage(ctx, b); err != nil {
			return nil, err
		}
	}
	for _, it := range b.items {
		r.count(it, b.failures[it.request.ID])
	}
	return b.failures, nil
}

// mark makes the store write the cutoffs and mark what is revoked.
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
			b.fail(it, &delivery.Failure{Class: delivery.Transient, Code: delivery.CodeStore, Err: results[i].Err})
		}
	}
	return nil
}

// publish publishes the deliveries, then the public events.
func (r *Revoker) publish(ctx context.Context, b *batch) error {
	var deliveries, public []*nats.Msg
	var untold []string // providers of push registrations that are deleted without telling anybody
	for _, it := range b.items {
		if b.failures[it.request.ID] != nil || it.revoked.Done {
			continue
		}
		it.finished = events.At(time.Now())
		event := r.public(it)
		planned, err := r.plan(it, event)
		if err != nil {
			return err
		}
		deliveries = append(deliveries, planned...)
		untold = append(untold, r.untold(it)...)
		if it.revocation == nil && !r.PublishUnknown {
			continue
		}
		msg, err := messages.RevokedMessage(event, it.request.TraceParent)
		if err != nil {
			return err
		}
		public = append(public, msg)
	}
	if err := r.Publisher.All(ctx, deliveries); err != nil {
		return err
	}
	if err := r.Publisher.All(ctx, public); err != nil {
		return err
	}
	for _, name := range untold {
		r.Untold(name)
	}
	return nil
}

// plan returns the messages that tell the targets of a request.
func (r *Revoker) plan(it *item, event events.Revoked) (msgs []*nats.Msg, err error) {
	if it.revocation == nil && !r.PublishUnknown {
		return nil, nil
	}
	revocation := delivery.Revocation{Request: it.request, Event: event, PushRegistrations: it.revoked.PushRegistrations}
	for _, target := range r.Targets {
		planned, err := target.Plan(revocation)
		if err != nil {
			return nil, err
		}
		for _, d := range planned {
			msg, err := d.Message(d.ID)
			if err != nil {
				return nil, err
			}
			msgs = append(msgs, msg)
		}
	}
	return msgs, nil
}

// untold returns the providers of deleted push registrations that no target
// serves.
func (r *Revoker) untold(it *item) (providers []string) {
	if r.Untold == nil {
		return nil
	}
	for _, reg := range it.revoked.PushRegistrations {
		serves := func(c delivery.Configured) bool { return c.Kind.Provider && c.Name == reg.Provider }
		if !slices.ContainsFunc(r.Targets, serves) {
			providers = append(providers, reg.Provider)
		}
	}
	return providers
}

// finish makes the store delete what was published.
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
			b.fail(it, &delivery.Failure{Class: delivery.Transient, Code: delivery.CodeStore, Err: results[i]})
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

// count counts a finished item.
func (r *Revoker) count(it *item, f *delivery.Failure) {
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
	r.Metrics.Attempted(messages.StepRevoke, "", outcome, n)
}
