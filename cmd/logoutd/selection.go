package main

import (
	"context"
	"errors"

	"github.com/logoutd/logoutd/internal/deadletters"
)

// selectionFlags select dead letters by id or by filter.
type selectionFlags struct {
	clientFlags
	outputFlags
	filterFlags
	planFlags

	IDs    []string `arg:"" optional:"" name:"id" help:"Ids of dead letters, from failed list."`
	All    bool     `help:"Select all dead letters."`
	Force  bool     `help:"Include dead letters that have reached the limit of replays."`
	Reason string   `help:"Reason, recorded in the audit log."`
}

// Validate requires exactly one way to select dead letters.
func (f *selectionFlags) Validate() error {
	filter, err := f.filter()
	if err != nil {
		return err
	}
	ways := 0
	for _, way := range []bool{len(f.IDs) > 0, filter != (deadletters.Filter{}), f.All} {
		if way {
			ways++
		}
	}
	if ways != 1 {
		return errors.New("select dead letters by id, by a filter or with --all: use exactly one of them")
	}
	return f.reasonFor(f.Reason)
}

// run replays or discards the selected dead letters.
func (f *selectionFlags) run(ctx context.Context, t *terminal, path, question string) error {
	selection := map[string]any{}
	if len(f.IDs) > 0 {
		selection["ids"] = f.IDs
	} else {
		filter, err := f.filter()
		if err != nil {
			return err
		}
		selection["filter"] = filter
	}
	if f.Force {
		selection["force"] = true
	}
	return planned{f.planFlags, f.clientFlags, f.outputFlags, path, f.Reason, question, len(f.IDs) > 0}.run(ctx, t, selection)
}

type failedReplayCmd struct{ selectionFlags }

// Run replays dead letters.
func (c *failedReplayCmd) Run(ctx context.Context, t *terminal) error {
	return c.run(ctx, t, "/v1/failed/replays", "Replay %d dead letter(s)?")
}

type failedDiscardCmd struct{ selectionFlags }

// Run discards dead letters.
func (c *failedDiscardCmd) Run(ctx context.Context, t *terminal) error {
	return c.run(ctx, t, "/v1/failed/discards", "Permanently discard %d dead letter(s)? Their work will never be done.")
}
