package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// jobsCmd groups the commands for jobs.
type jobsCmd struct {
	List   jobsListCmd   `cmd:"" help:"List jobs, newest first."`
	Show   jobsShowCmd   `cmd:"" help:"Show a job; --watch follows it until it ends."`
	Pause  jobsPauseCmd  `cmd:"" help:"Pause a job."`
	Resume jobsResumeCmd `cmd:"" help:"Resume a paused job."`
	Cancel jobsCancelCmd `cmd:"" help:"Cancel a job. Items that are already done stay done."`
}

// job is a job as the API shows it.
type job struct {
	ID            string          `json:"id"`
	Kind          string          `json:"kind"`
	State         string          `json:"state"`
	By            string          `json:"by"`
	Reason        string          `json:"reason"`
	Rate          float64         `json:"rate,omitempty"`
	Selected      string          `json:"selected"`
	Total         int             `json:"total"`
	Position      int             `json:"position"`
	Counts        map[string]int  `json:"counts"`
	Ineligible    map[string]int  `json:"ineligible"`
	NotFound      []listedUser    `json:"not_found,omitempty"`
	NotFoundCount int             `json:"not_found_count,omitempty"`
	PerSecond     float64         `json:"per_second"`
	CreatedAt     string          `json:"created_at"`
	FinishedAt    string          `json:"finished_at,omitempty"`
	Error         string          `json:"error,omitempty"`
	raw           json.RawMessage // as received
}

// UnmarshalJSON implements [json.Unmarshaler].
func (j *job) UnmarshalJSON(raw []byte) error {
	type fields job
	if err := json.Unmarshal(raw, (*fields)(j)); err != nil {
		return err
	}
	j.raw = slices.Clone(raw)
	return nil
}

// over reports whether the job has ended or waits for an operator.
func (j job) over() bool { return j.State != "running" }

// incomplete says how many items of a finished job are not done, and why; empty
// if all are done.
func (j job) incomplete() string {
	var parts []string
	for _, c := range []struct{ what, words string }{
		{"failed_again", "failed again"}, {"failed", "could not be put back"}, {"unreadable", "cannot be read"},
		{"not_known", "have an unknown outcome"},
	} {
		if n := j.Counts[c.what]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, c.words))
		}
	}
	return strings.Join(parts, ", ")
}

func (j job) counted() string {
	text := ""
	for _, what := range slices.Sorted(maps.Keys(j.Counts)) {
		text += fmt.Sprintf(" %s %d", what, j.Counts[what])
	}
	return text
}

func (j job) row() row {
	return row{j.ID, j.Kind, j.State, fmt.Sprintf("%d/%d", j.Position, j.Total), j.By, j.CreatedAt, j.counted(), j.Selected, j.Reason}
}

type jobsListCmd struct {
	clientFlags
	outputFlags
}

// Run lists the jobs.
func (c *jobsListCmd) Run(ctx context.Context, t *terminal) error {
	var answer struct {
		Jobs []json.RawMessage `json:"jobs"`
	}
	if err := c.ask(ctx, "GET", "/v1/jobs", nil, &answer); err != nil {
		return err
	}
	return printEach(t.out, c.outputFlags, answer.Jobs, job.row, "ID", "KIND", "STATE", "PROCESSED", "BY", "CREATED AT", "COUNTS", "SELECTED", "REASON")
}

type jobFlags struct {
	clientFlags
	outputFlags

	ID string `arg:"" help:"Id of the job, from jobs list."`
}

func (f jobFlags) path() string { return "/v1/jobs/" + url.PathEscape(f.ID) }

func (f jobFlags) change(ctx context.Context, t *terminal, verb string) error {
	var j job
	if err := f.ask(ctx, "POST", f.path()+"/"+verb, nil, &j); err != nil {
		return err
	}
	return printJob(t, f.outputFlags, j)
}

type jobsShowCmd struct {
	jobFlags

	Watch bool `short:"w" help:"Follow the job until it ends."`
}

// Run shows the job.
func (c *jobsShowCmd) Run(ctx context.Context, t *terminal) error {
	var j job
	if err := c.ask(ctx, "GET", c.path(), nil, &j); err != nil {
		return err
	}
	var err error
	if c.Watch {
		err = watchJob(ctx, t, c.clientFlags, c.outputFlags, j)
	} else {
		err = printJob(t, c.outputFlags, j)
	}
	if !c.json() {
		_ = printNotFound(t.out, j.NotFound, j.NotFoundCount)
	}
	return err
}

type jobsPauseCmd struct{ jobFlags }

// Run pauses the job.
func (c *jobsPauseCmd) Run(ctx context.Context, t *terminal) error { return c.change(ctx, t, "pause") }

type jobsResumeCmd struct{ jobFlags }

// Run resumes the job.
func (c *jobsResumeCmd) Run(ctx context.Context, t *terminal) error {
	return c.change(ctx, t, "resume")
}

type jobsCancelCmd struct {
	jobFlags

	Yes bool `short:"y" help:"Do not ask for confirmation."`
}

// Run cancels the job.
func (c *jobsCancelCmd) Run(ctx context.Context, t *terminal) error {
	if !c.Yes {
		if err := t.confirm("Cancel job " + c.ID + "? It cannot be resumed."); err != nil {
			return err
		}
	}
	return c.change(ctx, t, "cancel")
}

func printJob(t *terminal, f outputFlags, j job) error {
	if f.json() {
		return printLine(t.out, j.raw)
	}
	rows := []row{
		{"job", j.ID}, {"kind", j.Kind}, {"selected", j.Selected}, {"state", j.State}, {"processed", fmt.Sprintf("%d of %d", j.Position, j.Total)},
		{"by", j.By}, {"reason", j.Reason}, {"created", j.CreatedAt}, {"finished", j.FinishedAt}, {"error", j.Error},
	}
	for _, what := range slices.Sorted(maps.Keys(j.Counts)) {
		rows = append(rows, row{what, strconv.Itoa(j.Counts[what])})
	}
	for _, reason := range slices.Sorted(maps.Keys(j.Ineligible)) {
		rows = append(rows, row{"excluded: " + reason, strconv.Itoa(j.Ineligible[reason])})
	}
	rows = append(rows, row{"users not found", some(j.NotFoundCount)})
	return printFields(t.out, rows...)
}
