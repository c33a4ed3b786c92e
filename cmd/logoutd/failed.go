package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
)

// failedCmd groups what operators do with dead letters.
type failedCmd struct {
	List    failedListCmd    `cmd:"" help:"List dead letters, oldest first."`
	Show    failedShowCmd    `cmd:"" help:"Show everything about one dead letter, as JSON."`
	Replay  failedReplayCmd  `cmd:"" help:"Hand dead letters to the workers again."`
	Discard failedDiscardCmd `cmd:"" help:"Drop dead letters: what they ask for is not done."`
}

type failedListCmd struct {
	clientFlags
	outputFlags
}

// failedPage is a page of dead letters; next, if not 0, is where the next one
// begins.
type failedPage struct {
	Failed []json.RawMessage `json:"failed"`
	Next   uint64            `json:"next"`
}

// Run lists all pages.
func (c *failedListCmd) Run(ctx context.Context, t *terminal) error {
	for after := uint64(0); ; {
		page, err := c.page(ctx, after)
		if err != nil {
			return err
		}
		if err := c.print(t, page.Failed, after == 0); err != nil {
			return err
		}
		if page.Next == 0 {
			return nil
		}
		after = page.Next
	}
}

func (c *failedListCmd) page(ctx context.Context, after uint64) (page failedPage, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err = c.call(ctx, "GET", "/v1/failed?after="+strconv.FormatUint(after, 10), nil, &page)
	return page, err
}

func (c *failedListCmd) print(t *terminal, letters []json.RawMessage, first bool) error {
	if c.json() {
		for _, letter := range letters {
			if err := printLine(t.out, letter); err != nil {
				return err
			}
		}
		return nil
	}
	var rows []row
	if first {
		rows = []row{{"ID", "STEP", "TARGET", "CODE", "ATTEMPTS", "FAILED AT", "ERROR"}}
	}
	for _, raw := range letters {
		var l struct {
			ID, Step, Target, Code, Error string
			Attempts                      int
			FailedAt                      string `json:"failed_at"`
		}
		if err := json.Unmarshal(raw, &l); err != nil {
			return fmt.Errorf("reading answer: %w", err)
		}
		rows = append(rows, row{l.ID, l.Step, l.Target, l.Code, strconv.Itoa(l.Attempts), l.FailedAt, l.Error})
	}
	return printTable(t.out, rows...)
}

type failedShowCmd struct {
	clientFlags

	ID string `arg:"" help:"The dead letter, by its id in failed list."`
}

// Run prints the dead letter.
func (c *failedShowCmd) Run(ctx context.Context, t *terminal) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var letter json.RawMessage
	if err := c.call(ctx, "GET", "/v1/failed/"+url.PathEscape(c.ID), nil, &letter); err != nil {
		return err
	}
	out := json.NewEncoder(t.out)
	out.SetIndent("", "  ")
	return out.Encode(letter)
}
