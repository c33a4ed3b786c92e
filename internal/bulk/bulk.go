package bulk

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/store"
)

// Kind is the kind of the jobs that revoke in bulk.
const Kind = "revoke"

// Config is what a [Bulk] depends on; all but the logger is required.
type Config struct {
	Store     store.Store
	Publisher *broker.Publisher
	Jobs      *jobs.Jobs
	Logger    *slog.Logger // nil: none
}

// Bulk plans bulk revocations, and does the work of their jobs.
type Bulk struct {
	Config
}

// New returns what revokes in bulk.
func New(c Config) *Bulk {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Bulk{c}
}

// Plan is the dry run: it finds out whom q concerns and prepares a job for
// exactly those. What of theirs is authenticated at or before the cutoff when
// the job comes to them will be revoked; the cutoff is that of the query, and
// never later than the dry run by the store's clock. Who comes later is not
// concerned.
//
// It reads the whole store (only the users, where these are named), and
// remembers some 50 bytes of each user or session that it meets.
//
// An error wraps [ErrQuery], [store.ErrUnavailable] or events.ErrUnavailable.
func (b *Bulk) Plan(ctx context.Context, by string, q Query) (jobs.Plan, error) {
	if err := q.check(); err != nil {
		return jobs.Plan{}, err
	}
	d, err := newDryRun(ctx, b.Store, q)
	if err != nil {
		return jobs.Plan{}, fmt.Errorf("planning a bulk revocation: %w", err)
	}
	query, err := q.settle(d.cutoff)
	if err != nil {
		return jobs.Plan{}, fmt.Errorf("planning a bulk revocation: %w", err)
	}
	draft := jobs.Draft{Kind: Kind, By: by, Query: query, Ineligible: d.left, NotFound: func() []json.RawMessage { return d.notFound }}
	plan, err := b.Jobs.Prepare(ctx, draft, d.items(ctx))
	if err != nil {
		return jobs.Plan{}, fmt.Errorf("planning a bulk revocation: %w", err)
	}
	return plan, nil
}

// Works returns the work of the jobs, by their kind.
func (b *Bulk) Works() map[string]jobs.Work {
	return map[string]jobs.Work{Kind: work{b.Store, b.Publisher, b.Logger, b.Jobs.JetStream}}
}
