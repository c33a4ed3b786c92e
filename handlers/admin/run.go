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

// planner makes the dry run of a selection that was read.
type planner func(ctx context.Context, by string) (jobs.Plan, error)

// run is a call that works on many, in two steps: a dry run answers with a
// token, which then starts a job on exactly the set that was found.
func (a *api) run(kind, action string, read func(*object) planner) http.HandlerFunc {
	return a.handle(func(w http.ResponseWriter, r *http.Request) (int, any, error) {
		o, err := bodyUpTo(w, r, maxSelection, "choose by something else than a list")
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

// dryRun takes the mark of a dry run, without which nothing is selected: what
// matches later is never worked on.
func (o *object) dryRun() {
	const how = "must be true: a dry run answers with a token, then {\"token\",\"reason\"} starts a job on exactly what it found"
	var dry bool
	there := o.has("dry_run")
	if o.take("dry_run", &dry, "true") && !dry || !there {
		o.refuse("dry_run", how)
	}
}

type plan struct {
	Token      string         `json:"token"`
	Kind       string         `json:"kind"`
	Selected   string         `json:"selected"` // in words, all of it
	Eligible   int            `json:"eligible"`
	Ineligible map[string]int `json:"ineligible"` // by reason
	ExpiresAt  events.Time    `json:"expires_at"`
	// NotFound are the users of a list that the store does not know.
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

// rate takes how many items a second are worked on at most; 0: no limit.
func (o *object) rate() float64 {
	rate := float64(jobs.DefaultRate)
	if o.take("rate", &rate, "a number of items a second") && rate < 0 {
		o.refuse("rate", "must be 0, which is no limit, or more")
	}
	return rate
}
