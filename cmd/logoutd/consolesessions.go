package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// consoleSessionsCmd groups what is done with sessions of the console.
type consoleSessionsCmd struct {
	List consoleSessionsListCmd `cmd:"" help:"List who is logged in to the console: an operator sees all sessions, a viewer those of its token."`
	End  consoleSessionsEndCmd  `cmd:"" help:"End a session: its cookie opens nothing any more."`
}

type consoleSessionsListCmd struct {
	clientFlags
	outputFlags
}

// Run lists the sessions.
func (c *consoleSessionsListCmd) Run(ctx context.Context, t *terminal) error {
	var answer struct {
		Sessions []json.RawMessage `json:"sessions"`
		Stale    bool              `json:"stale"`
	}
	if err := c.ask(ctx, "GET", "/v1/console-sessions", nil, &answer); err != nil {
		return err
	}
	if answer.Stale {
		fmt.Fprintln(t.err, "logoutd: not complete: the broker does not answer, so sessions of other processes can be missing")
	}
	return printEach(t.out, c.outputFlags, answer.Sessions, func(s struct {
		ID, Role, Address string
		TokenName         string `json:"token_name"`
		CreatedAt         string `json:"created_at"`
		SeenAt            string `json:"seen_at"`
	}) row {
		return row{s.ID, s.TokenName, s.Role, s.Address, s.CreatedAt, s.SeenAt}
	}, "ID", "TOKEN", "ROLE", "ADDRESS", "SINCE", "LAST USED")
}

type consoleSessionsEndCmd struct {
	clientFlags

	ID string `arg:"" help:"The session, by its id in console-sessions list."`
}

// Run ends the session. It does not ask: whoever was meant can log in again.
func (c *consoleSessionsEndCmd) Run(ctx context.Context, _ *terminal) error {
	return c.ask(ctx, "DELETE", "/v1/console-sessions/"+url.PathEscape(c.ID), nil, nil)
}
