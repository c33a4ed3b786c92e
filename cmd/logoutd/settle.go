package main

import (
	"context"
	"errors"

	"github.com/logoutd/logoutd/internal/deadletters"
)

// letterFlags choose dead letters, by their ids or by a filter.
type letterFlags struct {
	clientFlags
	outputFlags
	filterFlags
	planFlags

	IDs    []string `arg:"" optional:"" name:"id" help:"Dead letters, by their ids in failed list."`
	All    bool     `help:"All there are now."`
	Force  bool     `help:"Also those that were replayed too often already."`
	Reason string   `help:"Why; it stands in the audit log."`
}

// Validate refuses what names none, or in two ways.
func (f *letterFlags) Validate() error {
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
		return errors.New("name dead letters by their ids or by a filter, or say --all")
	}
	return f.reasonFor(f.Reason)
}

// settle does it to those that are chosen.
func (f *letterFlags) settle(ctx context.Context, t *terminal, path, question string) error {
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

type failedReplayCmd struct{ letterFlags }

// Run replays dead letters.
func (c *failedReplayCmd) Run(ctx context.Context, t *terminal) error {
	return c.settle(ctx, t, "/v1/failed/replays", "Replay %d dead letter(s)?")
}

type failedDiscardCmd struct{ letterFlags }

// Run discards dead letters.
func (c *failedDiscardCmd) Run(ctx context.Context, t *terminal) error {
	return c.settle(ctx, t, "/v1/failed/discards", "Discard %d dead letter(s)? What they ask for will not be done.")
}
