package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// planFlags are the flags of bulk commands: first a dry run fixes the selection,
// then, once that is confirmed, a job processes exactly that selection.
type planFlags struct {
	DryRun bool    `help:"Only count what would be done, and what would be excluded and why."`
	Rate   float64 `default:"${defaultRate}" help:"Maximum rate per second; 0: unlimited."`
	Yes    bool    `short:"y" help:"Do not ask for confirmation."`
	Detach bool    `help:"Do not wait for the job; logoutd jobs shows its progress."`
}

// plan is the answer to a dry run.
type plan struct {
	Token      string         `json:"token"`
	Kind       string         `json:"kind"`
	Selected   string         `json:"selected"`
	Eligible   int            `json:"eligible"`
	Ineligible map[string]int `json:"ineligible"`
	ExpiresAt  string         `json:"expires_at"`
	NotFound   []listedUser   `json:"not_found"`
}

// reasonFor refuses a run without a reason.
func (f planFlags) reasonFor(reason string) error {
	if reason == "" && !f.DryRun {
		return errors.New("--reason is required: it is recorded in the audit log")
	}
	return nil
}

// planned is a bulk command.
type planned struct {
	planFlags
	client clientFlags
	output outputFlags
	path   string
	reason string
	// ask is the format of the confirmation question, with the number of items.
	ask string
	// each says that the items were named one by one, so that leaving one out is a
	// partial failure.
	each bool
}

// run makes the dry run, asks for confirmation, starts the job and watches it.
func (p planned) run(ctx context.Context, t *terminal, selection map[string]any) error {
	selection["dry_run"] = true
	var dry json.RawMessage
	if err := p.client.call(ctx, "POST", p.path, selection, &dry); err != nil {
		return err
	}
	var plan plan
	if err := json.Unmarshal(dry, &plan); err != nil {
		return fmt.Errorf("reading answer: %w", err)
	}
	if p.DryRun {
		if p.output.json() {
			return printLine(t.out, dry)
		}
		if err := printTable(t.out, plan.rows()...); err != nil {
			return err
		}
		return printNotFound(t.err, plan.NotFound, len(plan.NotFound))
	}
	if plan.Eligible == 0 {
		_ = printTable(t.err, plan.rows()...)
		_ = printNotFound(t.err, plan.NotFound, len(plan.NotFound))
		return &failure{error: errors.New("nothing to do"), code: exitNothing}
	}
	if !p.Yes {
		_ = printTable(t.err, plan.rows()...)
		if err := t.confirm(fmt.Sprintf(p.ask, plan.Eligible)); err != nil {
			return err
		}
	}
	if err := p.start(ctx, t, plan); err != nil {
		_ = printNotFound(t.err, plan.NotFound, len(plan.NotFound))
		return err
	}
	if n := len(plan.NotFound); n > 0 {
		_ = printNotFound(t.err, plan.NotFound, len(plan.NotFound))
		return &failure{error: fmt.Errorf("%d of the listed users were not found and were not logged out", n),
			hint: "check the spelling and the tenant", code: exitPart}
	}
	if !p.each || len(plan.Ineligible) == 0 {
		return nil
	}
	_ = printTable(t.err, plan.rows()...)
	return &failure{error: errors.New("some of the named dead letters were excluded"), code: exitPart}
}

func (p planned) start(ctx context.Context, t *terminal, plan plan) error {
	body := map[string]any{"token": plan.Token, "reason": p.reason, "rate": p.Rate}
	var j job
	if err := p.client.ask(ctx, "POST", p.path, body, &j); err != nil {
		return err
	}
	if p.Detach {
		return printJob(t, p.output, j)
	}
	return watchJob(ctx, t, p.client, p.output, j)
}

// printNotFound prints the listed users that the server does not know. count is
// their total number.
func printNotFound(out io.Writer, users []listedUser, count int) error {
	for _, user := range users {
		if _, err := fmt.Fprintf(out, "not found: %s\n", plain(strings.TrimPrefix(user.TenantID+" / "+user.UserID, " / "))); err != nil {
			return err
		}
	}
	if more := count - len(users); more > 0 {
		_, err := fmt.Fprintf(out, "not found: %d more\n", more)
		return err
	}
	return nil
}

// rows show what would be done, and what would be excluded and why.
func (p plan) rows() []row {
	rows := []row{{"selected", p.Selected}, {"eligible", strconv.Itoa(p.Eligible)}}
	for _, reason := range slices.Sorted(maps.Keys(p.Ineligible)) {
		rows = append(rows, row{"excluded: " + reason, strconv.Itoa(p.Ineligible[reason])})
	}
	return rows
}
