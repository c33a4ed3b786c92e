package console

import (
	"net/http"
	"time"

	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/jobs"
)

// jobsPage is the list of jobs.
type jobsPage struct {
	Jobs    []jobs.Job
	Unknown bool // the jobs could not be read
	Now     time.Time
}

func (c *console) jobs(v *visit) (view, error) {
	p := jobsPage{Now: time.Now().UTC()}
	var err error
	if p.Jobs, err = c.Jobs.List(v.Context(), pageSize); err != nil {
		v.missing(c, "The list of jobs", err)
		p.Unknown = true
	}
	shown := view{template: "jobs", title: "Jobs", section: "jobs", data: p}
	for _, job := range p.Jobs {
		if job.State == jobs.Running {
			shown.refresh = 5
		}
	}
	return shown, nil
}

// followJobs sends the list of jobs as it changes.
func (c *console) followJobs(s *stream) error {
	changes, err := c.Jobs.Watch(s.ctx)
	for err == nil {
		p := jobsPage{Now: time.Now().UTC()}
		if p.Jobs, err = c.Jobs.List(s.ctx, pageSize); err == nil {
			err = s.parts("jobs", p, "list")
		}
		if err == nil {
			_, err = s.nextJob(changes, "")
		}
	}
	return err
}

// jobPage is one job.
type jobPage struct {
	jobs.Job
	Selection []chip
	// FailedSince is the URL of the dead letters that match the replay's filter and
	// failed since it started; Failed is their number.
	FailedSince string
	Failed      int
	FailedKnown bool // Failed is known: the list of dead letters is complete
	Operator    bool
	Now         time.Time
}

func (c *console) newJobPage(v *visit, job jobs.Job) jobPage {
	p := jobPage{Job: job, Selection: c.selection(job.Kind, job.Query, job.Force), Operator: v.Operator(), Now: time.Now().UTC()}
	if f, ok := failedSince(job); ok {
		p.FailedSince = "/console/failed?" + f.Values().Encode()
		var err error
		p.Failed, err = c.Letters.Count(v.Context(), f) // the linked page reports the error
		p.FailedKnown = err == nil && c.Letters.Progress().Ready
	}
	return p
}

// Unknown returns the first of the listed users that the store does not know.
func (p jobPage) Unknown() []string { return usersOf(p.NotFound) }

// NotNamed returns the number of further unknown users.
func (p jobPage) NotNamed() int { return p.NotFoundCount - len(p.NotFound) }

// Percent returns the progress in percent.
func (p jobPage) Percent() int { return 100 * p.Position / max(p.Total, 1) }

// Waits reports whether all items were sent, and the job waits for their
// outcomes.
func (p jobPage) Waits() bool { return !p.State.Finished() && p.Position == p.Total }

// Left estimates the remaining time at the current rate; 0: unknown.
func (p jobPage) Left() time.Duration {
	if p.PerSecond <= 0 || p.State != jobs.Running {
		return 0
	}
	return time.Duration(float64(p.Total-p.Position) / p.PerSecond * float64(time.Second))
}

// Took returns how long the job has run.
func (p jobPage) Took() time.Duration {
	if p.FinishedAt.IsZero() {
		return p.Now.Sub(p.CreatedAt)
	}
	return p.FinishedAt.Sub(p.CreatedAt)
}

func (c *console) job(v *visit) (view, error) {
	job, err := c.Jobs.Get(v.Context(), v.PathValue("id"))
	if err != nil {
		return view{}, err
	}
	shown := view{template: "job", title: kinds[job.Kind] + ": " + string(job.State), section: "jobs", data: c.newJobPage(v, job)}
	if job.State == jobs.Running {
		shown.refresh = 2
	}
	return shown, nil
}

// steer pauses, resumes or cancels a job.
func (c *console) steer(v *visit) (view, error) {
	steps := map[string]struct {
		do     func() (jobs.Job, error)
		action string
	}{
		"pause":  {func() (jobs.Job, error) { return c.Jobs.Pause(v.Context(), v.PathValue("id"), v.By()) }, audit.ActionJobPause},
		"resume": {func() (jobs.Job, error) { return c.Jobs.Resume(v.Context(), v.PathValue("id"), v.By()) }, audit.ActionJobResume},
		"cancel": {func() (jobs.Job, error) { return c.Jobs.Cancel(v.Context(), v.PathValue("id"), v.By()) }, audit.ActionJobCancel},
	}
	step, ok := steps[v.PathValue("action")]
	if !ok {
		return view{}, &fault{http.StatusNotFound, "Unknown action", "A job can be paused, resumed and cancelled."}
	}
	job, err := step.do()
	if err != nil {
		return view{}, err
	}
	c.record(v, step.action, job, map[string]int{"position": job.Position, "total": job.Total})
	return goTo("/console/jobs/" + job.ID), nil
}

// followJob sends the changed parts of a job's page until the job ends.
func (c *console) followJob(s *stream) error {
	changes, err := c.Jobs.Watch(s.ctx)
	if err != nil {
		return err
	}
	job, err := c.Jobs.Get(s.ctx, s.visit.PathValue("id"))
	for ; err == nil; job, err = s.nextJob(changes, job.ID) {
		if err := s.parts("job", c.newJobPage(s.visit, job), "job-state", "job-progress", "job-steer"); err != nil {
			return err
		}
		if job.State.Finished() {
			return s.send("end", "", "")
		}
	}
	return err
}

// nextJob waits for the next change of the job with this id, or of any job if id
// is empty.
func (s *stream) nextJob(changes <-chan jobs.Job, id string) (jobs.Job, error) {
	for {
		select {
		case <-s.beat.C:
			if err := s.alive(); err != nil {
				return jobs.Job{}, err
			}
		case job, open := <-changes:
			if !open {
				return jobs.Job{}, s.ctx.Err()
			}
			if job.ID == id || id == "" {
				return job, nil
			}
		}
	}
}
