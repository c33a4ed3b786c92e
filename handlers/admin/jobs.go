package admin

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/jobs"
)

type job struct {
	ID     string          `json:"id"`
	Kind   string          `json:"kind"`
	State  jobs.State      `json:"state"`
	By     string          `json:"by"`
	Reason string          `json:"reason"`
	Rate   float64         `json:"rate"` // maximum items per second; 0: unlimited
	Force  bool            `json:"force"`
	Query  json.RawMessage `json:"query,omitempty"`
	// Selected describes the complete query in words.
	Selected string `json:"selected"`
	Total    int    `json:"total"`
	// Position is the number of processed items.
	Position   int            `json:"position"`
	Counts     map[string]int `json:"counts"`     // by outcome
	Ineligible map[string]int `json:"ineligible"` // excluded by the dry run, by reason
	// NotFound are the first of the listed users that the store does not know; a
	// list of jobs has only their number.
	NotFound      []json.RawMessage `json:"not_found,omitempty"`
	NotFoundCount int               `json:"not_found_count,omitempty"`
	PerSecond     float64           `json:"per_second"`
	// Owner is the process that runs the job.
	Owner        string      `json:"owner,omitempty"`
	LastActionBy string      `json:"last_action_by,omitempty"`
	CreatedAt    events.Time `json:"created_at"`
	UpdatedAt    events.Time `json:"updated_at"`
	FinishedAt   events.Time `json:"finished_at,omitzero"`
	Error        string      `json:"error,omitempty"`
}

func (a *api) jobOf(j jobs.Job) job {
	return job{
		ID: j.ID, Kind: j.Kind, State: j.State, By: j.By, Reason: j.Reason, Rate: j.Rate, Force: j.Force, Query: j.Query,
		Selected: jobs.Words(a.Jobs.Selected(j.Kind, j.Query, j.Force)),
		Total:    j.Total, Position: j.Position, Counts: counts(j.Counts), Ineligible: counts(j.Ineligible), NotFound: j.NotFound, NotFoundCount: j.NotFoundCount, PerSecond: j.PerSecond,
		Owner: j.Owner, LastActionBy: j.LastActionBy, CreatedAt: events.At(j.CreatedAt), UpdatedAt: events.At(j.UpdatedAt),
		FinishedAt: events.At(j.FinishedAt), Error: j.Error,
	}
}

// counts replaces nil by an empty map, so that JSON has an object.
func counts(c map[string]int) map[string]int {
	if c == nil {
		return map[string]int{}
	}
	return c
}

// listJobs answers with the newest jobs.
func (a *api) listJobs(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	o, err := query(r)
	if err != nil {
		return 0, nil, err
	}
	limit := o.limit()
	if err := o.done(); err != nil {
		return 0, nil, err
	}
	list, err := a.Jobs.List(r.Context(), limit)
	for i := range list {
		list[i].NotFound = nil
	}
	return http.StatusOK, struct {
		Jobs []job `json:"jobs"`
	}{each(list, a.jobOf)}, err
}

func (a *api) showJob(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	found, err := a.Jobs.Get(r.Context(), r.PathValue("id"))
	return http.StatusOK, a.jobOf(found), err
}

// changeJob returns a call that pauses, resumes or cancels a job.
func (a *api) changeJob(action string, change func(ctx context.Context, id, by string) (jobs.Job, error)) call {
	return func(_ http.ResponseWriter, r *http.Request) (int, any, error) {
		var changed jobs.Job
		err := a.act(r, func(ctx context.Context) (_ audit.Entry, err error) {
			changed, err = change(ctx, r.PathValue("id"), callerOf(r))
			return audit.Entry{Action: action, JobID: changed.ID, Counts: changed.Counts}, err
		})
		return http.StatusOK, a.jobOf(changed), err
	}
}
