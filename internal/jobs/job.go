package jobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// State is where a job stands.
type State string

// The states of a job. Running says that it is to be worked on, also while no
// process is there to do it.
const (
	Running   State = "running"
	Paused    State = "paused"
	Cancelled State = "cancelled"
	Done      State = "done"
	Failed    State = "failed" // its work failed for good; it may be resumed
)

// Finished reports whether the job has come to an end.
func (s State) Finished() bool { return s == Cancelled || s == Done || s == Failed }

// Errors of what is asked of jobs. Others mean that the broker could not be
// asked, and wrap [events.ErrUnavailable].
var (
	ErrNoPlan   = errors.New("no such plan: never made, expired, or of another kind")
	ErrNoJob    = errors.New("no such job")
	ErrState    = errors.New("not possible in the job's state")
	ErrNoReason = errors.New("a reason is required")
	ErrRate     = errors.New("a rate is a number of items a second, or 0 for no limit")
)

// ErrStarted refuses to start a plan that has been started before.
type ErrStarted struct {
	JobID string
}

func (e ErrStarted) Error() string { return fmt.Sprintf("already started as job %s", e.JobID) }

// Plan is what a dry run found: an exact set of items, ready to be started.
type Plan struct {
	Token      string          // starts it, once; becomes the id of the job
	Kind       string          // names the [Work]
	Eligible   int             // items in the set
	Ineligible map[string]int  // how many were left out, by reason
	Query      json.RawMessage // what was asked for
	By         string          // who asked
	Force      bool            // items over a limit were let in
	CreatedAt  time.Time
	ExpiresAt  time.Time // unless started before
	// NotFound are the items that were named and that nobody knows. The dry run
	// tells all of them, the job the first ones.
	NotFound []json.RawMessage
}

// Job is a plan that was started. The tags are those of its record in the
// broker.
type Job struct {
	ID         string          `json:"id"`
	Kind       string          `json:"kind"`
	State      State           `json:"state"`
	By         string          `json:"by"` // who started it
	Reason     string          `json:"reason,omitempty"`
	Rate       float64         `json:"rate,omitempty"` // items a second at most; 0: no limit
	Force      bool            `json:"force,omitempty"`
	Query      json.RawMessage `json:"query,omitempty"`
	Total      int             `json:"total"`                // items of the plan
	Position   int             `json:"position"`             // items worked on, from the first on; see [Follower]
	Counts     map[string]int  `json:"counts,omitempty"`     // what became of them, in the words of the work
	Ineligible map[string]int  `json:"ineligible,omitempty"` // how many the plan left out, by reason
	// NotFound are the first of the items that were named and that nobody knows,
	// NotFoundCount is how many there are.
	NotFound      []json.RawMessage `json:"not_found,omitempty"`
	NotFoundCount int               `json:"not_found_count,omitempty"`
	// PerSecond is how many items were done a second: in the last seconds
	// while it runs, on average over its working time once it is finished, 0
	// while paused.
	PerSecond  float64   `json:"per_second,omitempty"`
	CreatedAt  time.Time `json:"created_at"` // when it was started
	UpdatedAt  time.Time `json:"updated_at"`
	FinishedAt time.Time `json:"finished_at,omitzero"` // zero: not finished
	// Owner is the process that works on it; empty: none.
	Owner string `json:"owner,omitempty"`
	// Error is why it failed, or what holds it up at the moment.
	Error        string `json:"error,omitempty"`
	LastActionBy string `json:"last_action_by,omitempty"` // who started, paused, resumed or cancelled it last
	// Again tells a [Work] that items of the batch may have been done before,
	// uncounted: by an owner that did not come back, or before an outage.
	Again bool `json:"again,omitempty"`
}
