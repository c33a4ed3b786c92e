package jobs

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/google/uuid"
)

// The states of a record that is no job, which nobody outside sees.
const (
	preparing State = "preparing" // its items are being stored
	planned   State = "planned"
	over      State = "over" // about to be removed, whatever it was
)

// maxQuery is how long the query of a plan may be: it is written again with
// every progress.
const maxQuery = 16 << 10

// maxNotFound is how many items that nobody knows are kept, within maxQuery
// bytes: people read them.
const maxNotFound = 100

// record is a plan and the job it becomes: one key, so that starting a plan,
// and everything later, is one compare-and-set.
type record struct {
	Job
	ExpiresAt time.Time `json:"expires_at,omitzero"` // of the plan
	// Stored tells that there are items in the broker.
	Stored bool `json:"stored,omitempty"`
	// Worked is the time for which it was worked on, without outages.
	Worked time.Duration `json:"worked_ns,omitempty"`
	// Mark is where a [Follower] began; nil: the job is not followed.
	Mark json.RawMessage `json:"mark,omitempty"`
	// revision is that of the key; 0: not written yet.
	revision uint64
}

func newRecord(d Draft) (record, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return record{}, fmt.Errorf("making token: %w", err)
	}
	now := now()
	query := d.Query
	if len(query) > maxQuery {
		query = fmt.Appendf(nil, `{"too_long":%d}`, len(query))
	}
	return record{
		Job: Job{
			ID: id.String(), Kind: d.Kind, State: preparing, By: d.By, Force: d.Force, Query: query,
			CreatedAt: now, UpdatedAt: now,
		},
		ExpiresAt: now.Add(PlanLifetime), Stored: true,
	}, nil
}

// isJob reports whether it was started, and is to be seen.
func (r record) isJob() bool { return r.State != preparing && r.State != planned && r.State != over }

// startable reports whether it is a plan that can be started.
func (r record) startable() bool { return r.State == planned && now().Before(r.ExpiresAt) }

// outdated reports whether it is to be removed, as a plan.
func (r record) outdated() bool {
	return r.State == over || !r.isJob() && now().After(r.ExpiresAt)
}

func (r record) plan() Plan {
	return Plan{
		Token: r.ID, Kind: r.Kind, Eligible: r.Total, Ineligible: r.Ineligible, Query: r.Query,
		By: r.By, Force: r.Force, CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt,
	}
}

// start makes the plan a job.
func (r *record) start(s Start) {
	r.State, r.By, r.LastActionBy, r.Reason, r.Rate = Running, s.By, s.By, s.Reason, s.Rate
	r.CreatedAt = now()
	if r.Total == 0 {
		r.finish(Done)
	}
}

// batch is what became of items that were done.
type batch struct {
	items  int
	counts map[string]int
	worked time.Duration // since the batch before
	speed  float64       // items a second
}

// count adds a batch. The job may have been paused or cancelled meanwhile.
func (r *record) count(b batch) {
	r.Position += b.items
	r.Worked += b.worked
	r.Counts = maps.Clone(r.Counts)
	for what, n := range b.counts {
		if r.Counts == nil {
			r.Counts = map[string]int{}
		}
		r.Counts[what] += n
	}
	r.Again, r.Error = false, ""
	switch {
	case r.State == Cancelled:
		r.PerSecond = r.average()
	case r.Position < r.Total:
		if r.State == Running {
			r.PerSecond = b.speed
		}
	case r.Mark == nil:
		r.finish(Done)
	default: // it is followed
		r.PerSecond = 0
	}
}

func (r *record) finish(s State) {
	r.State, r.FinishedAt, r.PerSecond = s, now(), r.average()
	if s == Cancelled {
		r.abandon()
	}
}

// average is items a second over the time worked.
func (r *record) average() float64 {
	if r.Worked <= 0 {
		return 0
	}
	return float64(r.Position) / r.Worked.Seconds()
}

// adopt takes over what others may change in a record whose lease is held:
// progress is the owner's, everything else is the record's.
func (r *record) adopt(stored record) {
	mine := *r
	*r = stored
	r.Position, r.Counts, r.Again, r.Error = mine.Position, mine.Counts, mine.Again, mine.Error
	r.Worked, r.Mark = mine.Worked, mine.Mark
	if r.State == Cancelled {
		r.abandon()
	}
}

func (r record) encode() ([]byte, error) {
	value, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding job: %w", err)
	}
	return value, nil
}

// now is the time as it is stored.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
