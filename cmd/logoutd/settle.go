package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// letterFlags name dead letters.
type letterFlags struct {
	clientFlags `json:"-"`
	outputFlags `json:"-"`

	IDs []string `arg:"" optional:"" name:"id" json:"ids,omitempty" help:"Dead letters, by their ids in failed list."`
	All bool     `json:"all,omitempty" help:"All there are now."`
	Yes bool     `json:"-" short:"y" help:"Do not ask."`
}

// Validate refuses what names none, or all and some.
func (f *letterFlags) Validate() error {
	if f.All == (len(f.IDs) > 0) {
		return errors.New("name dead letters by their ids, or say --all")
	}
	return nil
}

func (f *letterFlags) what() string {
	if f.All {
		return "all dead letters"
	}
	return fmt.Sprintf("%d dead letter(s)", len(f.IDs))
}

type failedReplayCmd struct{ letterFlags }

// Run asks only before replaying everything.
func (c *failedReplayCmd) Run(ctx context.Context, t *terminal) error {
	if c.All && !c.Yes {
		if err := t.confirm("Replay " + c.what() + "?"); err != nil {
			return err
		}
	}
	return c.settle(ctx, t, "replayed", "/v1/failed/replays")
}

type failedDiscardCmd struct{ letterFlags }

// Run asks in any case.
func (c *failedDiscardCmd) Run(ctx context.Context, t *terminal) error {
	if !c.Yes {
		if err := t.confirm("Discard " + c.what() + "? What they ask for will not be done."); err != nil {
			return err
		}
	}
	return c.settle(ctx, t, "discarded", "/v1/failed/discards")
}

// settle has the server do it, and fails if some of them are gone.
func (f *letterFlags) settle(ctx context.Context, t *terminal, verb, path string) error {
	var answer struct {
		Replayed  int      `json:"replayed,omitempty"`
		Discarded int      `json:"discarded,omitempty"`
		Missing   []string `json:"missing"`
	}
	if err := f.call(ctx, "POST", path, f, &answer); err != nil {
		return err
	}
	done := map[string]any{verb: answer.Replayed + answer.Discarded, "missing": answer.Missing}
	print := func() error {
		return printTable(t.out, row{verb, strconv.Itoa(answer.Replayed + answer.Discarded)})
	}
	if f.json() {
		print = func() error { return printLine(t.out, done) }
	}
	if err := print(); err != nil {
		return err
	}
	if len(answer.Missing) > 0 {
		return &failure{error: fmt.Errorf("no such dead letter: %s", strings.Join(answer.Missing, ", ")),
			hint: "it was replayed or discarded meanwhile; `logoutd failed list` lists those there are"}
	}
	return nil
}
