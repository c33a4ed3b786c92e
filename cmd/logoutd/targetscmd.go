package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// targetsCmd groups what is done with targets.
type targetsCmd struct {
	List    targetsListCmd    `cmd:"" default:"1" help:"List targets: what waits for them, and which are paused or disabled."`
	Enable  targetsEnableCmd  `cmd:"" help:"Enable a target that is disabled, so that its deliveries go on."`
	Discard targetsDiscardCmd `cmd:"" help:"Permanently discard the deliveries that wait for a target."`
	Move    targetsMoveCmd    `cmd:"" help:"Hand the deliveries of a target to the target of the same name of another kind."`
}

type targetsListCmd struct {
	clientFlags
	outputFlags
}

// shownTarget is what the admin API says of a target.
type shownTarget struct {
	Kind       string `json:"step"`
	Name       string
	Configured bool
	Backlog    struct {
		Messages      int
		OldestSeconds float64 `json:"oldest_seconds"`
	}
	Paused, Refused, Disabled bool
	PausedSince               string `json:"paused_since"`
	PausedCode                string `json:"paused_code"`
	DisabledSince             string `json:"disabled_since"`
	DisabledReason            string `json:"disabled_reason"`
}

func (s shownTarget) state() string {
	switch {
	case s.Disabled:
		return fmt.Sprintf("disabled since %s: %s", s.DisabledSince, s.DisabledReason)
	case s.Refused:
		return fmt.Sprintf("refuses our credentials since %s: %s", s.PausedSince, s.PausedCode)
	case s.Paused:
		return fmt.Sprintf("paused since %s: %s", s.PausedSince, s.PausedCode)
	case !s.Configured:
		return "not in the settings"
	default:
		return "working"
	}
}

// Run lists the targets.
func (c *targetsListCmd) Run(ctx context.Context, t *terminal) error {
	targets, err := c.targets(ctx)
	if err != nil {
		return err
	}
	return printEach(t.out, c.outputFlags, targets, func(s shownTarget) row {
		return row{s.Kind, s.Name, fmt.Sprint(s.Backlog.Messages), fmt.Sprintf("%.0fs", s.Backlog.OldestSeconds), s.state()}
	}, "KIND", "NAME", "PENDING", "OLDEST", "STATE")
}

// targets returns what the admin API says of each target.
func (f clientFlags) targets(ctx context.Context) ([]json.RawMessage, error) {
	var answer struct {
		Targets []json.RawMessage `json:"targets"`
	}
	err := f.ask(ctx, "GET", "/v1/targets", nil, &answer)
	return answer.Targets, err
}

// targetArgs name a target.
type targetArgs struct {
	Kind string `arg:"" json:"-" help:"Kind of the target."`
	Name string `arg:"" json:"-" help:"Name of the target."`
}

func (a targetArgs) path(action string) string {
	return "/v1/targets/" + url.PathEscape(a.Kind) + "/" + url.PathEscape(a.Name) + "/" + action
}

type targetsEnableCmd struct {
	clientFlags
	targetArgs
}

// Run enables the target.
func (c *targetsEnableCmd) Run(ctx context.Context, t *terminal) error {
	var answer struct {
		Enabled bool `json:"enabled"`
	}
	if err := c.ask(ctx, "POST", c.path("enable"), nil, &answer); err != nil {
		return err
	}
	if !answer.Enabled {
		fmt.Fprintln(t.err, "The target was not disabled.")
	}
	return nil
}

type targetsDiscardCmd struct {
	clientFlags
	targetArgs

	Reason string `required:"" placeholder:"TEXT" help:"Reason, recorded in the audit log."`
	Yes    bool   `short:"y" help:"Do not ask."`
}

// Run discards what waits for the target.
func (c *targetsDiscardCmd) Run(ctx context.Context, t *terminal) error {
	targets, err := c.targets(ctx)
	if err != nil {
		return err
	}
	pending := 0
	for _, raw := range targets {
		var s shownTarget
		if err := json.Unmarshal(raw, &s); err != nil {
			return fmt.Errorf("reading answer: %w", err)
		}
		if s.Kind == c.Kind && s.Name == c.Name {
			pending = s.Backlog.Messages
		}
	}
	if !c.Yes {
		if err := t.confirm(fmt.Sprintf("Discard %d deliveries? %s is never told of these logouts.", pending, c.Name)); err != nil {
			return err
		}
	}
	var answer struct {
		Discarded int `json:"discarded"`
	}
	body := map[string]any{"reason": c.Reason, "deliveries": pending}
	if err := c.ask(ctx, "POST", c.path("discard"), body, &answer); err != nil {
		return err
	}
	fmt.Fprintf(t.err, "%d deliveries discarded.\n", answer.Discarded)
	return nil
}

type targetsMoveCmd struct {
	clientFlags
	targetArgs

	NewKind string `arg:"" help:"Kind of the target that gets the deliveries."`
}

// Run moves the deliveries, with as many calls as it takes.
func (c *targetsMoveCmd) Run(ctx context.Context, t *terminal) error {
	moved := 0
	for more := true; more; {
		var answer struct {
			Moved int  `json:"moved"`
			More  bool `json:"more"`
		}
		if err := c.ask(ctx, "POST", c.path("move"), map[string]string{"kind": c.NewKind}, &answer); err != nil {
			return err
		}
		moved, more = moved+answer.Moved, answer.More
	}
	fmt.Fprintf(t.err, "%d deliveries moved.\n", moved)
	return nil
}
