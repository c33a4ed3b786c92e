package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"math"
	"strings"
)

// Prepare stores the items as a plan. Nothing is left behind if it fails.
func (j *Jobs) Prepare(ctx context.Context, d Draft, items iter.Seq2[Item, error]) (Plan, error) {
	draft, err := newRecord(d)
	if err != nil {
		return Plan{}, err
	}
	draft, err = j.records.put(ctx, draft)
	if err != nil {
		return Plan{}, err
	}
	p := draft
	p.Total, err = j.items.write(ctx, p.ID, items)
	p.State, p.Ineligible = planned, maps.Clone(d.Ineligible)
	var notFound []json.RawMessage
	if d.NotFound != nil {
		notFound = d.NotFound()
		p.NotFound, p.NotFoundCount = firstOf(notFound), len(notFound)
	}
	if err == nil {
		p, err = j.records.put(ctx, p)
	}
	if err != nil {
		j.forget(context.WithoutCancel(ctx), draft)
		return Plan{}, err
	}
	plan := p.plan()
	plan.NotFound = notFound
	return plan, nil
}

// firstOf returns as many items as a record keeps.
func firstOf(items []json.RawMessage) []json.RawMessage {
	length := 0
	for n, item := range items {
		if length += len(item); n == maxNotFound || length > maxQuery {
			return items[:n]
		}
	}
	return items
}

// Start makes a plan a job, exactly once: see [ErrNoPlan], [ErrStarted],
// [ErrNoReason] and [ErrRate].
func (j *Jobs) Start(ctx context.Context, s Start) (Job, error) {
	switch {
	case strings.TrimSpace(s.Reason) == "":
		return Job{}, ErrNoReason
	case !(s.Rate >= 0) || math.IsInf(s.Rate, 1):
		return Job{}, ErrRate
	}
	p, err := j.records.get(ctx, s.Token)
	switch {
	case errors.Is(err, ErrNoJob), err == nil && p.Kind != s.Kind:
		return Job{}, ErrNoPlan
	case err != nil:
		return Job{}, err
	case p.isJob():
		return Job{}, ErrStarted{JobID: p.ID}
	case !p.startable():
		return Job{}, ErrNoPlan
	}
	p.start(s)
	p, err = j.records.put(ctx, p)
	if errors.Is(err, errConflict) {
		return j.Start(ctx, s) // somebody else did, or it has expired
	}
	if err != nil {
		return Job{}, err
	}
	j.Changed(Job{}, p.Job)
	return p.Job, nil
}
