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

	By     string `help:"Show only actions of the token with this name." placeholder:"NAME"`
	Action string `help:"Show only this action, for example replay.start." placeholder:"ACTION"`
	Job    string `help:"Show only entries of this job." placeholder:"ID"`
	From   string `help:"Show entries at or after this time: RFC 3339, or how long ago (90s, 1h)." placeholder:"TIME"`
	To     string `help:"Show entries before this time." placeholder:"TIME"`
	Limit  int    `default:"100" help:"Maximum number of entries."`
}

// auditPage is the number of entries in one request.
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
