package jobs

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"
)

// LeaseTimeout is how long the record of a job stands still before another
// process takes the job over.
const LeaseTimeout = 10 * time.Second

// DefaultRate is how many items a second a job works on where nobody says
// otherwise, in the console, on the command line and in the admin API: a provider that is just
// back is not flooded.
const DefaultRate = 50

// PlanLifetime is how long a plan can be started.
const PlanLifetime = time.Hour

// Item is one item of a plan: up to [MaxItem] bytes without a line feed.
type Item []byte

// Work is what a kind of job does with its items. It is idempotent: after a
// crash or an outage a batch is done again.
type Work interface {
	// Do works on a batch of up to 100 items and returns what became of them,
	// counted. An error that wraps [events.ErrUnavailable] or
	// [store.ErrUnavailable], or that of the context: the batch is done again
	// later and nothing is counted. Any other ends the job as failed.
	Do(ctx context.Context, job Job, items []Item) (counts map[string]int, err error)
	// Selected says in words what a query, as the plan keeps it, asked for:
	// each part of it.
	Selected(query json.RawMessage) ([]Criterion, error)
}

// Config is what jobs need.
type Config struct {
	JetStream jetstream.JetStream
	// Works are the kinds of job that this process can work on; it leaves
	// others alone. It may be filled after New, and before the first use.
	Works map[string]Work
	// Logger gets what happens to jobs. Default: none.
	Logger *slog.Logger
	// Instance names the process in what operators see. Default: none.
	Instance string
	// Changed, if set, is told of each change of a job's state by the process
	// that made it, which waits for it to return; before is zero at a start.
	Changed func(before, after Job)
}

// Draft is a plan before its items are known.
type Draft struct {
	Kind  string
	By    string
	Force bool
	// Query is what was asked for, to be shown later. One longer than 16 KiB
	// is kept as {"too_long":<bytes>}.
	Query json.RawMessage
	// Ineligible is read after the last item: the iterator may count into it.
	Ineligible map[string]int
	// NotFound, if set, is called after the last item: it returns the items that
	// were named and that nobody knows. The job keeps the first 100 of them, and
	// fewer where they take more than 16 KiB.
	NotFound func() []json.RawMessage
}

// Start asks for a plan to be started.
type Start struct {
	Token  string
	Kind   string // of the plan
	By     string
	Reason string  // required
	Rate   float64 // items a second; 0: as fast as it goes
}

// Jobs are the plans and jobs of the broker. It is safe for concurrent use.
type Jobs struct {
	Config
	id      string // of this process, as the owner of jobs
	times   times
	records records
	items   items
}

// New returns the jobs kept by the broker behind c.JetStream. It does not ask
// the broker yet.
func New(c Config) *Jobs {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Changed == nil {
		c.Changed = func(Job, Job) {}
	}
	jobs, plans := newBuckets(c.JetStream)
	// Two processes may go by one name, and the same one comes back as another.
	id := strings.TrimPrefix(c.Instance+"/"+uuid.NewString(), "/")
	return &Jobs{Config: c, id: id, times: defaultTimes, records: records{jobs}, items: items{plans}}
}

// List returns up to limit jobs, newest first.
func (j *Jobs) List(ctx context.Context, limit int) ([]Job, error) {
	all, err := j.records.all(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(r record) bool { return !r.isJob() })
	slices.SortFunc(all, newest)
	jobs := make([]Job, 0, min(limit, len(all)))
	for _, r := range all[:min(limit, len(all))] {
		jobs = append(jobs, r.Job)
	}
	return jobs, nil
}

func newest(a, b record) int {
	return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
}

// Get returns a job, or [ErrNoJob].
func (j *Jobs) Get(ctx context.Context, id string) (Job, error) {
	r, err := j.job(ctx, id)
	return r.Job, err
}

func (j *Jobs) job(ctx context.Context, id string) (record, error) {
	r, err := j.records.get(ctx, id)
	if err == nil && !r.isJob() {
		return record{}, ErrNoJob
	}
	return r, err
}
