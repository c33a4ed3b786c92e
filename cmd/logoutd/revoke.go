package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/logoutd/logoutd/internal/text"
)

type revokeCmd struct {
	clientFlags `json:"-"`
	outputFlags `json:"-"`
	planFlags   `json:"-"`

	SessionToken *string `json:"session_token,omitempty" help:"Log out this session. Only - is allowed: it reads the token from standard input." placeholder:"-"`
	SessionID    *string `json:"session_id,omitempty" help:"Log out the session with this id."`
	UserID       *string `json:"user_id,omitempty" help:"Log out all sessions of this user; with --device-id, only those on one device."`
	TenantID     *string `json:"tenant_id,omitempty" help:"The user's tenant. Alone: log out all users of the tenant."`
	DeviceID     *string `json:"device_id,omitempty" help:"Log out only this device of the user."`
	AppID        *string `json:"-" help:"Log out all sessions of this app."`
	Users        string  `json:"-" help:"Log out the users in this file. Each line is a user id, or a tenant id, a tab and a user id. Quotes, UTF-8, UTF-16 and surrounding blanks are accepted. Users that are not found are listed." placeholder:"FILE"`
	Before       string  `json:"-" name:"authenticated-before" help:"Log out everything authenticated before this time (RFC 3339, or how long ago). With --app-id, --tenant-id or --users: only of those." placeholder:"TIME"`
	Reason       *string `json:"reason,omitempty" help:"Reason, sent to subscribers. Required when many are logged out."`
}

// Validate refuses a bulk revocation without a reason.
func (c *revokeCmd) Validate() error {
	switch {
	case !c.bulk():
		return nil
	case c.SessionToken != nil, c.SessionID != nil, c.UserID != nil, c.DeviceID != nil:
		return errors.New("select one session or user, or many with --app-id, --tenant-id, --users or --authenticated-before, not both")
	case c.Reason == nil:
		return c.reasonFor("")
	}
	return nil
}

// bulk reports whether this is a bulk revocation.
func (c *revokeCmd) bulk() bool {
	one := c.SessionToken != nil || c.SessionID != nil || c.UserID != nil
	return c.AppID != nil || c.Users != "" || c.Before != "" || c.TenantID != nil && !one
}

// Run starts the revocation and prints its id, or the job of a bulk revocation.
func (c *revokeCmd) Run(ctx context.Context, t *terminal) error {
	if c.bulk() {
		return c.many(ctx, t)
	}
	if c.UserID != nil && c.DeviceID == nil && !c.Yes && t.interactive {
		if err := t.confirm(fmt.Sprintf("Log out all sessions of user %q?", *c.UserID)); err != nil {
			return err
		}
	}
	if err := t.secrets(c.SessionToken); err != nil {
		return err
	}
	var answer struct {
		ID string `json:"id"`
	}
	if err := c.ask(ctx, "POST", "/v1/revocations", c, &answer); err != nil {
		return err
	}
	if c.json() {
		return printLine(t.out, answer)
	}
	return printTable(t.out, row{answer.ID})
}

// many starts a bulk revocation as a job.
func (c *revokeCmd) many(ctx context.Context, t *terminal) error {
	selection := map[string]any{}
	if c.AppID != nil {
		selection["app_id"] = *c.AppID
	}
	if c.TenantID != nil {
		selection["tenant_id"] = *c.TenantID
	}
	if c.Users != "" {
		users, err := usersIn(c.Users, t)
		if err != nil {
			return err
		}
		selection["users"] = users
	}
	if c.Before != "" {
		at, err := timeOf("authenticated-before", c.Before)
		if err != nil {
			return err
		}
		selection["authenticated_before"] = at
	}
	reason := ""
	if c.Reason != nil {
		reason = *c.Reason
	}
	return planned{c.planFlags, c.clientFlags, c.outputFlags, "/v1/revocations/bulk", reason,
		"Make %d logout(s)? Everyone affected must log in again.", false}.run(ctx, t, selection)
}

// listedUser is a user in a file.
type listedUser struct {
	UserID   string `json:"user_id"`
	TenantID string `json:"tenant_id,omitempty"`
}

// usersIn reads a file of users; - is standard input.
func usersIn(path string, t *terminal) (users []listedUser, err error) {
	var file []byte
	if path == "-" {
		file, err = io.ReadAll(t.in)
	} else {
		file, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading users: %w", err)
	}
	list, err := text.Decode(file)
	if err != nil {
		return nil, fmt.Errorf("reading users from %s: %w", path, err)
	}
	list = strings.ReplaceAll(strings.ReplaceAll(list, "\r\n", "\n"), "\r", "\n")
	for number, line := range strings.Split(list, "\n") {
		fields, err := text.Fields(line)
		if err != nil || len(fields) > 2 || len(fields) == 2 && fields[1] == "" {
			return nil, usage("write a user id, or a tenant id, a tab and a user id; quotes as in CSV files are accepted",
				"reading users from %s: line %d is invalid", path, number+1)
		}
		if user := fields[len(fields)-1]; user != "" {
			users = append(users, listedUser{UserID: user, TenantID: strings.Join(fields[:len(fields)-1], "")})
		}
	}
	return users, nil
}
