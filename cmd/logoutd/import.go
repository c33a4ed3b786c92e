package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
)

type importCmd struct {
	clientFlags
	outputFlags

	File string `arg:"" help:"NDJSON file: each line has a \"type\" (session, refresh_token or push_registration) and the fields of its registration. - reads standard input."`
}

// imported is the result of an import.
type imported struct {
	Lines     int            `json:"lines"`
	Accepted  map[string]int `json:"accepted"`
	Rejected  int            `json:"rejected"`
	Errors    []rejectedLine `json:"errors"`
	Truncated bool           `json:"errors_truncated"`
	// Unconfigured counts push registrations by provider.
	Unconfigured map[string]int `json:"unconfigured_providers,omitempty"`
}

type rejectedLine struct {
	Line   int    `json:"line"`
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"`
	Cutoff string `json:"cutoff,omitempty"`
}

func (l rejectedLine) String() string {
	return fmt.Sprintf("line %d: %v", l.Line, &problem{Field: l.Field, Detail: l.Detail, Cutoff: l.Cutoff})
}

// Run streams the file to the server, and fails if a line was rejected.
func (c *importCmd) Run(ctx context.Context, t *terminal) error {
	lines, err := c.open(t)
	if err != nil {
		return err
	}
	defer lines.Close()
	answer, err := c.send(ctx, "POST", "/v1/import", "application/x-ndjson", lines)
	if err != nil {
		var p *problem
		if errors.As(err, &p) {
			printRejected(t, p.Errors)
		}
		return err
	}
	defer answer.Close()
	var result imported
	if err := decode(answer, &result); err != nil {
		return err
	}
	if err := c.print(t, result); err != nil {
		return err
	}
	if result.Rejected > 0 {
		return &failure{error: fmt.Errorf("%d of %d lines were rejected", result.Rejected, result.Lines),
			hint: "correct them and import the file again: lines that were accepted stay registered"}
	}
	return nil
}

func (c *importCmd) open(t *terminal) (io.ReadCloser, error) {
	if c.File == "-" {
		return io.NopCloser(t.in), nil
	}
	file, err := os.Open(c.File)
	if err != nil {
		return nil, fmt.Errorf("opening import: %w", err)
	}
	return file, nil
}

func (c *importCmd) print(t *terminal, result imported) error {
	if c.json() {
		return printLine(t.out, result)
	}
	printRejected(t, result.Errors)
	if result.Truncated {
		fmt.Fprintf(t.err, "… and %d more lines\n", result.Rejected-len(result.Errors))
	}
	for _, provider := range slices.Sorted(maps.Keys(result.Unconfigured)) {
		fmt.Fprintf(t.err, "logoutd: warning: %d push registrations name the provider %s, which is not configured: it will not be told when they are deleted\n",
			result.Unconfigured[provider], provider)
	}
	rows := []row{{"lines", strconv.Itoa(result.Lines)}}
	for _, name := range []string{"session", "refresh_token", "push_registration"} {
		rows = append(rows, row{name, strconv.Itoa(result.Accepted[name])})
	}
	return printTable(t.out, append(rows, row{"rejected", strconv.Itoa(result.Rejected)})...)
}

func printRejected(t *terminal, lines []rejectedLine) {
	for _, line := range lines {
		fmt.Fprintln(t.err, line)
	}
}
