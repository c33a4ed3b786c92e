package main

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"
)

type auditCmd struct {
	clientFlags
	outputFlags

	By     string `help:"Only what the token of this name did." placeholder:"NAME"`
	Action string `help:"Only this action, for example replay.start." placeholder:"ACTION"`
	Job    string `help:"Only what concerns this job." placeholder:"ID"`
	From   string `help:"At this time or later: RFC 3339, or how long ago (90s, 1h)." placeholder:"TIME"`
	To     string `help:"Before this time." placeholder:"TIME"`
	Limit  int    `default:"100" help:"How many at most."`
}

// auditPage is how many entries are asked for at once.
const auditPage = 100

// Run prints entries, newest first.
func (c *auditCmd) Run(ctx context.Context, t *terminal) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	header := []string{"AT", "BY", "ADDRESS", "ACTION", "JOB", "COUNTS", "REASON"}
	for left := c.Limit; left > 0; header = nil {
		query.Set("limit", strconv.Itoa(min(left, auditPage)))
		var page struct {
			Audit []json.RawMessage `json:"audit"`
			Next  string            `json:"next"`
		}
		if err := c.ask(ctx, "GET", "/v1/audit?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		if err := c.print(t, page.Audit, header); err != nil {
			return err
		}
		if left -= len(page.Audit); page.Next == "" {
			return nil
		}
		query.Set("after", page.Next)
	}
	return nil
}

func (c *auditCmd) print(t *terminal, entries []json.RawMessage, header []string) error {
	return printEach(t.out, c.outputFlags, entries, func(e struct {
		At, By, Address, Action, Reason string
		JobID                           string `json:"job_id"`
		Counts                          map[string]int
	}) row {
		return row{e.At, e.By, e.Address, e.Action, e.JobID, job{Counts: e.Counts}.counted(), e.Reason}
	}, header...)
}

func (c *auditCmd) query() (url.Values, error) {
	query := url.Values{}
	for name, value := range map[string]string{"by": c.By, "action": c.Action, "job_id": c.Job} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for name, value := range map[string]string{"from": c.From, "to": c.To} {
		if value == "" {
			continue
		}
		at, err := timeOf(name, value)
		if err != nil {
			return nil, err
		}
		query.Set(name, at.Format(time.RFC3339Nano))
	}
	return query, nil
}
