package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/store"
)

// Kinds of job that work on dead letters.
const (
	KindReplay  = "replay"  // hands the work of letters to the workers again
	KindDiscard = "discard" // removes letters; their work will not be done
)

// DefaultMaxReplays is the default of Config.MaxReplays.
const DefaultMaxReplays = 5

// settleTimeout is how long a dry run waits for the projection to hold what is
// on the stream.
const settleTimeout = 10 * time.Second

// Errors of [Replays.Plan].
var (
	ErrQuery = errors.New("select dead letters either by ids or by a filter")
	ErrKind  = errors.New("dead letters can be replayed or discarded")
	// ErrNotReady says that the projection lacks letters still: a dry run
	// would miss them.
	ErrNotReady = errors.New("dead letters are still being read; try again soon")
)

// Config is what a dry run and the work need.
type Config struct {
	Letters     *deadletters.Letters
	DeadLetters *deadletters.DeadLetters
	Jobs        *jobs.Jobs // its JetStream tells what became of what was replayed
	Store       store.Store
	// MaxReplays is how often a letter may be replayed without force.
	// Default: [DefaultMaxReplays].
	MaxReplays int
	// RegistrationKinds are the steps whose letters are about push
	// registrations: their ids end with that of the registration.
	RegistrationKinds []string
}

// Replays are the dry runs and the work of replaying and discarding.
type Replays struct {
	Config
	settleTimeout time.Duration
}

// New returns the dry runs over c.Letters.
func New(c Config) *Replays {
	if c.MaxReplays == 0 {
		c.MaxReplays = DefaultMaxReplays
	}
	return &Replays{c, settleTimeout}
}

// Plan makes the dry run of a kind of job over a selection: the letters that
// are there now, and no others. Force lets in what was replayed too often.
// Errors are those above, or wrap [events.ErrUnavailable] or
// [store.ErrUnavailable].
func (r *Replays) Plan(ctx context.Context, kind, by string, q Query, force bool) (jobs.Plan, error) {
	if kind != KindReplay && kind != KindDiscard {
		return jobs.Plan{}, ErrKind
	}
	if (len(q.IDs) > 0) == (q.Filter != nil) {
		return jobs.Plan{}, ErrQuery
	}
	if err := r.settle(ctx); err != nil {
		return jobs.Plan{}, err
	}
	named, err := r.named(ctx, q.IDs)
	if err != nil {
		return jobs.Plan{}, err
	}
	query, err := q.encode(named)
	if err != nil {
		return jobs.Plan{}, err
	}
	run := dryRun{Replays: r, kind: kind, force: force, ineligible: map[string]int{}}
	draft := jobs.Draft{Kind: kind, By: by, Force: force, Query: query, Ineligible: run.ineligible}
	plan, err := r.Jobs.Prepare(ctx, draft, run.items(ctx, q, named))
	if err != nil {
		return jobs.Plan{}, fmt.Errorf("planning %s: %w", kind, err)
	}
	return plan, nil
}

func (r *Replays) settle(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, r.settleTimeout)
	defer cancel()
	err := r.Letters.Settled(waiting)
	if errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, broker.ErrUnavailable) && ctx.Err() == nil {
		return ErrNotReady
	}
	return err
}
