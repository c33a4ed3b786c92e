package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/bulk"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/replay"
)

// auditTimeout bounds the write of an audit entry.
const auditTimeout = 5 * time.Second

// planTimeout bounds a dry run: it checks each dead letter in the store, and
// writes down the selection.
const planTimeout = 5 * time.Minute

// planPage is a dry run, and the form that starts the real one.
type planPage struct {
	jobs.Plan
	Selection []chip
	Groups    []deadletters.Group // of the selected dead letters, if a filter selects them
	Largest   int
	Paces     []pace
	Rate      string
	Reason    string
	Fault     string
	// Again are the form fields that repeat the dry run.
	Again map[string][]string
	// Started reports that the form was submitted and is shown again. The page no
	// longer knows what the dry run excluded.
	Started bool
	Now     time.Time
}

// Unknown returns the listed users that the store does not know.
func (p planPage) Unknown() []string { return usersOf(p.NotFound) }

// usersOf returns the names of users that a dry run did not find.
func usersOf(notFound []json.RawMessage) []string {
	var names []string
	for _, item := range notFound {
		var named struct {
			UserID   string `json:"user_id"`
			TenantID string `json:"tenant_id"`
		}
		_ = json.Unmarshal(item, &named) // written by the dry run
		names = append(names, user(named.TenantID, named.UserID))
	}
	return names
}

// Excluded returns the number of items that are not eligible.
func (p planPage) Excluded() int {
	n := 0
	for _, left := range p.Ineligible {
		n += left
	}
	return n
}

// planLetters makes the dry run of a replay or a discard, of the selected dead
// letters or of all that match a filter.
func (c *console) planLetters(v *visit) (view, error) {
	kind, set, _ := strings.Cut(v.PostFormValue("plan"), "-")
	if kind != replay.KindReplay && kind != replay.KindDiscard {
		return view{}, &fault{http.StatusBadRequest, "The action is missing", "Go back and choose replay or discard."}
	}
	q, err := readSelection(v, set)
	if err != nil {
		return view{}, err
	}
	ctx, cancel := v.within(planTimeout)
	defer cancel()
	force := v.PostFormValue("force") != ""
	plan, err := c.Replays.Plan(ctx, kind, v.By(), q, force)
	if err != nil {
		return view{}, err
	}
	p := c.newPlanPage(plan)
	p.Again = map[string][]string{"plan": {kind + "-" + set}, "id": q.IDs}
	if q.Filter != nil {
		for name, values := range q.Filter.Values() {
			p.Again[name] = values
		}
		p.Groups, _ = c.Letters.Groups(ctx, *q.Filter) // optional: the counts above are enough
		for _, g := range p.Groups {
			p.Largest = max(p.Largest, g.Count)
		}
	}
	return view{template: "plan", title: "Dry run: " + kinds[kind], section: "failed", data: p}, nil
}

func readSelection(v *visit, set string) (replay.Query, error) {
	if set == "selected" {
		ids := v.PostForm["id"]
		if len(ids) == 0 {
			return replay.Query{}, &fault{http.StatusBadRequest, "No dead letter is selected", "Go back and select some, or choose all that match the filter."}
		}
		return replay.Query{IDs: ids}, nil
	}
	form := readFilter(v.PostForm, time.Now())
	if form.Bad {
		return replay.Query{}, &fault{http.StatusBadRequest, "The filter is invalid", "Go back and correct it: nothing was selected."}
	}
	return replay.Query{Filter: &form.Filter}, nil
}

// within extends the time of a slow request to d, but ends it when the browser
// disconnects.
func (v *visit) within(d time.Duration) (context.Context, context.CancelFunc) {
	_ = http.NewResponseController(v.w).SetWriteDeadline(time.Now().Add(d + pageTimeout))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.Context()), d)
	stop := context.AfterFunc(v.client, cancel)
	return ctx, func() { stop(); cancel() }
}

func (c *console) newPlanPage(plan jobs.Plan) planPage {
	return planPage{
		Plan: plan, Selection: c.selection(plan.Kind, plan.Query, plan.Force), Paces: paces(plan.Eligible),
		Rate: defaultPace, Now: time.Now().UTC(),
	}
}

// start starts the job of a dry run.
func (c *console) start(v *visit) (view, error) {
	s := jobs.Start{
		Token: v.PostFormValue("token"), Kind: v.PostFormValue("kind"), By: v.By(),
		Reason: strings.TrimSpace(v.PostFormValue("reason")),
	}
	rate, fault := readRate(v.PostForm)
	if s.Rate = rate; fault == "" {
		fault = refuseStart(v, s)
	}
	if fault != "" {
		return c.startAgain(v, s, fault), nil
	}
	job, err := c.Jobs.Start(v.Context(), s)
	var started jobs.ErrStarted
	if errors.As(err, &started) {
		return goTo("/console/jobs/" + started.JobID), nil
	}
	if err != nil {
		return view{}, err
	}
	c.record(v, s.Kind+".start", job, map[string]int{"eligible": job.Total})
	return goTo("/console/jobs/" + job.ID), nil
}

// maxReason is in bytes.
const maxReason = 256

func refuseStart(v *visit, s jobs.Start) string {
	switch {
	case s.Reason == "":
		return "Enter a reason: it is recorded in the audit log and in the dead letters."
	case len(s.Reason) > maxReason:
		return "The reason is too long: enter at most 256 bytes."
	case s.Kind != replay.KindReplay && v.PostFormValue("sure") == "":
		return "Confirm with the checkbox: this cannot be undone."
	default:
		return ""
	}
}

// startAgain shows the form again with its fault. The dry run stays valid.
func (c *console) startAgain(v *visit, s jobs.Start, fault string) view {
	p := c.newPlanPage(jobs.Plan{Token: s.Token, Kind: s.Kind, Eligible: atoi(v.PostFormValue("eligible"))})
	p.Rate, p.Reason, p.Fault, p.Started = v.PostFormValue("rate"), s.Reason, fault, true
	section := "failed"
	if s.Kind == bulk.Kind {
		section = "revoke"
	}
	return view{template: "plan", title: "Dry run: " + kinds[s.Kind], section: section, status: http.StatusBadRequest, data: p}
}

// record records an operator's action on a job in the audit log. The action has
// already been done, so a failure is logged and not returned.
func (c *console) record(v *visit, action string, job jobs.Job, counts map[string]int) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.Context()), auditTimeout)
	defer cancel()
	err := c.Audit.Record(ctx, audit.Entry{
		Address: c.Proxies.Client(v.Request).String(), By: v.By(), Action: action, Reason: job.Reason, JobID: job.ID,
		Selection: job.Query, Counts: counts,
	})
	if err != nil {
		c.Logger.Error("recording an operator's action in the audit log failed", "action", action, "by", v.By(), "reason", job.Reason,
			"job_id", job.ID, "selection", string(job.Query), "err", err)
	}
}
