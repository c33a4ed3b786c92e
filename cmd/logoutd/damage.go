package main

import (
	"context"
	"encoding/json"
)

// damageCmd lists the losses of the broker's streams, and acknowledges them.
type damageCmd struct {
	clientFlags `json:"-"`
	outputFlags `json:"-"`

	Acknowledge bool   `json:"-" help:"Acknowledge the listed losses, so that the server stops reporting them."`
	Reason      string `json:"reason" help:"Reason for the acknowledgement, recorded in the audit log." placeholder:"TEXT"`
}

// Run lists the findings, or acknowledges them.
func (c *damageCmd) Run(ctx context.Context, t *terminal) error {
	var answer struct {
		Findings []json.RawMessage `json:"findings"`
	}
	var err error
	switch {
	case !c.Acknowledge:
		err = c.ask(ctx, "GET", "/v1/damage", nil, &answer)
	case c.Reason == "":
		return usage("pass --reason; it is recorded in the audit log", "--acknowledge requires --reason")
	default:
		err = c.ask(ctx, "POST", "/v1/damage/acknowledge", c, &answer)
	}
	if err != nil {
		return err
	}
	return printEach(t.out, c.outputFlags, answer.Findings, func(f struct {
		Stream  string
		FoundAt string `json:"found_at"`
		Text    string
	}) row {
		return row{f.Stream, f.FoundAt, f.Text}
	}, "STREAM", "FOUND AT", "WHAT")
}
