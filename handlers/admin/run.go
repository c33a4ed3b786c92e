package admin

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/jobs"
)

// planner makes the dry run of a selection.
type planner func(ctx context.Context, by string) (jobs.Plan, error)

// run returns a bulk call of two steps: a dry run answers with a token, which
// then starts a job on exactly the selection of the dry run.
func (a *api) run(kind, action string, read func(*object) planner) http.HandlerFunc {
	return a.handle(func(w http.ResponseWriter, r *http.Request) (int, any, error) {
		o, err := bodyUpTo(w, r, maxSelection, "use a filter instead of a list")
		if err != nil {
			return 0, nil, err
		}
		if o.has("token") {
			return a.start(r, kind, action, o)
		}
		o.dryRun()
		plan := read(o)
		if err := o.done(); err != nil {
			return 0, nil, err
		}
		return a.plan(r, plan)
	})
}

// dryRun requires dry_run: only a dry run can select, so that a job never
// processes items that match later.
func (o *object) dryRun() {
	const how = "must be true: a dry run answers with a token, then {\"token\",\"reason\"} starts a job on exactly its selection"
	var dry bool
	there := o.has("dry_run")
	if o.take("dry_run", &dry, "true") && !dry || !there {
		o.refuse("dry_run", how)
	}
}

type plan struct {
	Token      string         `json:"token"`
	Kind       string         `json:"kind"`
	Selected   string         `json:"selected"` // the complete selection in words
	Eligible   int            `json:"eligible"`
	Ineligible map[string]int `json:"ineligible"` // by reason
	ExpiresAt  events.Time    `json:"expires_at"`
	// NotFound are the listed users that the store does not know.
	NotFound []json.RawMessage `json:"not_found,omitempty"`
}

func (a *api) plan(r *http.Request, make planner) (int, any, error) {
	ctx, cancel := a.untilStopped(r)
	defer cancel()
	p, err := make(ctx, callerOf(r))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, plan{
		p.Token, p.Kind, jobs.Words(a.Jobs.Selected(p.Kind, p.Query, p.Force)), p.Eligible, counts(p.Ineligible), events.At(p.ExpiresAt), p.NotFound,
	}, nil
}

func (a *api) start(r *http.Request, kind, action string, o *object) (int, any, error) {
	s := jobs.Start{
		Kind: kind, By: callerOf(r),
		Token: o.required("token", maxID), Reason: o.required("reason", maxReason), Rate: o.rate(),
	}
	if err := o.done(); err != nil {
		return 0, nil, err
	}
	var started jobs.Job
	err := a.act(r, func(ctx context.Context) (_ audit.Entry, err error) {
		started, err = a.Jobs.Start(ctx, s)
		found := counts(maps.Clone(started.Ineligible))
		found["eligible"] = started.Total
		return audit.Entry{Action: action, Reason: s.Reason, JobID: started.ID, Selection: started.Query, Counts: found}, err
	})
	return http.StatusAccepted, a.jobOf(started), err
}

// rate takes the maximum number of items per second; 0: unlimited.
func (o *object) rate() float64 {
	rate := float64(jobs.DefaultRate)
	if o.take("rate", &rate, "a number of items per second") && rate < 0 {
		o.refuse("rate", "must be 0 (unlimited) or more")
	}
	return rate
}
