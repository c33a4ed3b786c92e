package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
)

// failedCmd groups the commands for dead letters.
type failedCmd struct {
	Groups  failedGroupsCmd  `cmd:"" help:"Count dead letters by step, target and error code. Start here."`
	List    failedListCmd    `cmd:"" help:"List dead letters, newest first."`
	Show    failedShowCmd    `cmd:"" help:"Show one dead letter in full."`
	Replay  failedReplayCmd  `cmd:"" help:"Send dead letters to the workers again."`
	Discard failedDiscardCmd `cmd:"" help:"Permanently discard dead letters."`
}

type failedGroupsCmd struct {
	clientFlags
	outputFlags
	filterFlags
}

// Run prints the groups, largest first.
func (c *failedGroupsCmd) Run(ctx context.Context, t *terminal) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	var answer struct {
		Groups []json.RawMessage `json:"groups"`
		Total  int               `json:"total"`
		completeness
	}
	if err := c.ask(ctx, "GET", "/v1/failed/groups?"+query.Encode(), nil, &answer); err != nil {
		return err
	}
	answer.warn(t)
	return printEach(t.out, c.outputFlags, answer.Groups, func(g struct {
		Step, Target, Code string
		Count, Users       int
		First              string `json:"first_failed_at"`
		Last               string `json:"last_failed_at"`
		SampleID           string `json:"sample_id"`
		SampleError        string `json:"sample_error"`
	}) row {
		return row{strconv.Itoa(g.Count), strconv.Itoa(g.Users), g.Step, g.Target, g.Code, g.First, g.Last, g.SampleID, g.SampleError}
	}, "COUNT", "USERS", "STEP", "TARGET", "CODE", "FIRST", "LAST", "SAMPLE", "ERROR")
}

type failedListCmd struct {
	clientFlags
	outputFlags
	filterFlags

	Limit int `help:"Maximum number to list. Default: unlimited." placeholder:"N"`
}

// listPage is the number of dead letters in one request.
const listPage = 500

// failedPage is a page of dead letters; Next is the cursor of the next page,
// empty on the last one.
type failedPage struct {
	Failed []json.RawMessage `json:"failed"`
	Next   string            `json:"next"`
	completeness
}

// completeness says why an answer about dead letters may be incomplete.
type completeness struct {
	Progress *struct{ Done, Total uint64 } `json:"progress"`
	Stale    bool                          `json:"stale"`
}

// warn prints a warning if the answer is incomplete.
func (c completeness) warn(t *terminal) {
	if c.Progress != nil {
		fmt.Fprintf(t.err, "logoutd: incomplete: the index of dead letters is being rebuilt (%d of %d read)\n", c.Progress.Done, c.Progress.Total)
	}
	if c.Stale {
		fmt.Fprintln(t.err, "logoutd: incomplete: the broker does not answer; newer dead letters are missing")
	}
}

// Run lists all pages.
func (c *failedListCmd) Run(ctx context.Context, t *terminal) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	left := c.Limit
	for first := true; ; first = false {
		query.Set("limit", strconv.Itoa(listPage))
		if c.Limit > 0 {
			query.Set("limit", strconv.Itoa(min(left, listPage)))
		}
		var page failedPage
		if err := c.ask(ctx, "GET", "/v1/failed?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		if first {
			page.warn(t)
		}
		if err := c.print(t, page.Failed, first); err != nil {
			return err
		}
		left -= len(page.Failed)
		if page.Next == "" || c.Limit > 0 && left <= 0 {
			return nil
		}
		query.Set("after", page.Next)
	}
}

func (c *failedListCmd) print(t *terminal, letters []json.RawMessage, first bool) error {
	header := []string{"ID", "STEP", "TARGET", "CODE", "ATTEMPTS", "REPLAYS", "FAILED AT", "TENANT", "USER", "ERROR"}
	if !first {
		header = nil
	}
	return printEach(t.out, c.outputFlags, letters, func(l struct {
		ID, Step, Target, Code, Error string
		Attempts, Replays             int
		FailedAt                      string `json:"failed_at"`
		TenantID                      string `json:"tenant_id"`
		UserID                        string `json:"user_id"`
	}) row {
		return row{l.ID, l.Step, l.Target, l.Code, strconv.Itoa(l.Attempts), some(l.Replays), l.FailedAt, l.TenantID, l.UserID, l.Error}
	}, header...)
}

type failedShowCmd struct {
	clientFlags
	outputFlags

	ID string `arg:"" help:"Id of the dead letter, from failed list."`
}

// Run prints the dead letter and its timeline as tables, or all of it as JSON.
func (c *failedShowCmd) Run(ctx context.Context, t *terminal) error {
	var letter json.RawMessage
	if err := c.ask(ctx, "GET", "/v1/failed/"+url.PathEscape(c.ID), nil, &letter); err != nil {
		return err
	}
	if c.json() {
		return printIndented(t.out, letter)
	}
	var shown struct {
		ID, Step, Target, Code, Error, Answer string
		Attempts, Replays                     int
		Request                               struct {
			ID       string
			Dialect  string
			Scope    string
			UserID   string `json:"user_id"`
			TenantID string `json:"tenant_id"`
			DeviceID string `json:"device_id"`
			AppID    string `json:"app_id"`
			Reason   string
		}
		Timeline []json.RawMessage
	}
	if err := json.Unmarshal(letter, &shown); err != nil {
		return fmt.Errorf("reading answer: %w", err)
	}
	r := shown.Request
	if err := printFields(t.out,
		row{"id", shown.ID}, row{"step", shown.Step}, row{"target", shown.Target}, row{"code", shown.Code}, row{"error", shown.Error}, row{"answer", shown.Answer},
		row{"attempts", strconv.Itoa(shown.Attempts)}, row{"replays", some(shown.Replays)},
		row{"request", r.ID}, row{"dialect", r.Dialect}, row{"scope", r.Scope}, row{"user", r.UserID}, row{"tenant", r.TenantID},
		row{"device", r.DeviceID}, row{"app", r.AppID}, row{"reason", r.Reason},
	); err != nil {
		return err
	}
	fmt.Fprintln(t.out)
	return printEach(t.out, c.outputFlags, shown.Timeline, func(e struct{ At, What, Detail, Code, By string }) row {
		return row{e.At, e.What, e.Code, e.By, e.Detail}
	}, "AT", "WHAT", "CODE", "BY", "DETAIL")
}
