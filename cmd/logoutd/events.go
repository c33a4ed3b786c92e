package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/logoutd/logoutd/internal/text"
)

type eventsCmd struct {
	clientFlags

	Since string `help:"Start with past events: an RFC 3339 time, or how long ago (90s, 1h). Events are kept for 72 h. Default: now."`
}

// Run prints events until it is interrupted. An interrupt is not a failure.
func (c *eventsCmd) Run(ctx context.Context, t *terminal) error {
	query := ""
	if c.Since != "" {
		query = "?since=" + url.QueryEscape(c.Since)
	}
	lines, err := c.send(ctx, "GET", "/v1/events"+query, "application/json", nil)
	if err == nil {
		defer lines.Close()
		err = printLines(t.out, lines)
	}
	switch {
	case ctx.Err() != nil:
		return nil
	case err == nil, errors.Is(err, io.ErrUnexpectedEOF):
		return &failure{error: fmt.Errorf("the server ended the stream"), hint: "run the command again with --since to miss no events"}
	default:
		return err
	}
}

// printLines prints events as they arrive, with control characters escaped.
func printLines(out io.Writer, events io.Reader) error {
	for lines := bufio.NewReader(events); ; {
		line, err := lines.ReadString('\n')
		if _, failed := io.WriteString(out, text.JSON(line)); failed != nil {
			return failed
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
