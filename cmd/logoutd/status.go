package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

type statusCmd struct {
	clientFlags
	outputFlags

	ID        string `arg:"" optional:"" help:"Id of the logout request, from revoke or from an event."`
	SessionID string `help:"Id of a session." placeholder:"ID"`
	UserID    string `help:"Id of a user." placeholder:"ID"`
	TenantID  string `help:"The user's tenant." placeholder:"ID"`
}

// Validate requires exactly one thing to look up.
func (c *statusCmd) Validate() error {
	named := 0
	for _, name := range []string{c.ID, c.SessionID, c.UserID} {
		if name != "" {
			named++
		}
	}
	if named != 1 || c.TenantID != "" && c.UserID == "" {
		return errors.New("give exactly one of: the id of a logout request, --session-id, or --user-id (with --tenant-id)")
	}
	return nil
}

func (c *statusCmd) path() string {
	query := url.Values{}
	for name, value := range map[string]string{"session_id": c.SessionID, "user_id": c.UserID, "tenant_id": c.TenantID} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if c.ID != "" {
		return "/v1/revocations/" + url.PathEscape(c.ID)
	}
	return "/v1/search?" + query.Encode()
}

// Run prints the status.
func (c *statusCmd) Run(ctx context.Context, t *terminal) error {
	var raw json.RawMessage
	if err := c.ask(ctx, "GET", c.path(), nil, &raw); err != nil {
		return err
	}
	var s struct {
		State       string
		RequestID   string `json:"request_id"`
		Scope       string
		UserID      string `json:"user_id"`
		TenantID    string `json:"tenant_id"`
		SessionID   string `json:"session_id"`
		RequestedAt string `json:"requested_at"`
		RevokedAt   string `json:"revoked_at"`
		Cutoff      string
		Sessions    []json.RawMessage
		Failed      []json.RawMessage
		Waiting     []waitingTarget
		Known       bool     `json:"deliveries_known"`
		NotAsked    []string `json:"not_asked"`
		Note        string
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return fmt.Errorf("reading answer: %w", err)
	}
	if c.json() {
		return errors.Join(printLine(t.out, raw), unknownStatus(s.State, s.NotAsked))
	}
	rows := []row{
		{"state", s.State}, {"request", s.RequestID}, {"scope", s.Scope}, {"user", s.UserID}, {"tenant", s.TenantID},
		{"session", s.SessionID}, {"requested", s.RequestedAt}, {"revoked", s.RevokedAt}, {"cutoff", s.Cutoff},
		{"sessions", some(len(s.Sessions))}, {"dead letters", known(len(s.Failed), s.NotAsked)}, {"unreachable", strings.Join(s.NotAsked, ", ")}}
	for _, w := range s.Waiting {
		rows = append(rows, row{"waiting", w.String()})
	}
	if !s.Known && s.State == "revoked" {
		rows = append(rows, row{"waiting", "unknown"})
	}
	return errors.Join(printFields(t.out, append(rows, row{"note", s.Note})...), unknownStatus(s.State, s.NotAsked))
}

// waitingTarget is a target with pending deliveries.
type waitingTarget struct {
	Step, Target   string
	Deliveries     int
	Paused, Served bool
	PausedSince    string `json:"paused_since"`
	PausedCode     string `json:"paused_code"`
}

// String describes the pending deliveries, and why they wait if that is known.
func (w waitingTarget) String() string {
	text := fmt.Sprintf("%s %s: %d", w.Step, w.Target, w.Deliveries)
	switch {
	case w.Paused:
		return fmt.Sprintf("%s, paused since %s (%s)", text, w.PausedSince, w.PausedCode)
	case !w.Served:
		return text + ", not served by any worker"
	}
	return text
}

// known formats a number of dead letters; without the broker there may be more.
func known(n int, notAsked []string) string {
	if slices.Contains(notAsked, "broker") {
		return fmt.Sprintf("%d known", n)
	}
	return strconv.Itoa(n)
}

// unknownStatus returns an error if the state is unknown.
func unknownStatus(state string, notAsked []string) error {
	switch {
	case state != "unknown":
		return nil
	case len(notAsked) > 0:
		return &failure{error: fmt.Errorf("nothing found, but the %s could not be reached", strings.Join(notAsked, " and the ")),
			hint: "`logoutd health` shows what the server is missing", code: exitUnavailable}
	}
	return &failure{error: errors.New("unknown to the server"), hint: "check the spelling, and --tenant-id if you use tenants", code: exitUnknown}
}
