package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
)

type statusCmd struct {
	clientFlags
	outputFlags

	ID        string `arg:"" optional:"" help:"The logout request, by the id that revoke printed or an event told."`
	SessionID string `help:"A session, by its id." placeholder:"ID"`
	UserID    string `help:"A user." placeholder:"ID"`
	TenantID  string `help:"The user's tenant." placeholder:"ID"`
}

// Validate refuses what names none, or more than one thing.
func (c *statusCmd) Validate() error {
	named := 0
	for _, name := range []string{c.ID, c.SessionID, c.UserID} {
		if name != "" {
			named++
		}
	}
	if named != 1 || c.TenantID != "" && c.UserID == "" {
		return errors.New("name a logout request by its id, a session by --session-id, or a user by --user-id and --tenant-id")
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

// Run prints what is known.
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
		Note        string
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return fmt.Errorf("reading answer: %w", err)
	}
	if c.json() {
		return errors.Join(printLine(t.out, raw), unknownStatus(s.State))
	}
	return errors.Join(printFields(t.out,
		row{"state", s.State}, row{"request", s.RequestID}, row{"scope", s.Scope}, row{"user", s.UserID}, row{"tenant", s.TenantID},
		row{"session", s.SessionID}, row{"requested", s.RequestedAt}, row{"revoked", s.RevokedAt}, row{"cutoff", s.Cutoff},
		row{"sessions", some(len(s.Sessions))}, row{"dead letters", strconv.Itoa(len(s.Failed))}, row{"note", s.Note}), unknownStatus(s.State))
}

// unknownStatus is the error of an answer that knows nothing.
func unknownStatus(state string) error {
	if state != "unknown" {
		return nil
	}
	return &failure{error: errors.New("nothing is known of it"), hint: "check the spelling, and --tenant-id where there are tenants", code: exitUnknown}
}
