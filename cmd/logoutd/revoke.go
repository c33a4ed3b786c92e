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

	SessionToken *string `json:"session_token,omitempty" help:"Log out this session. The only value is -, which reads the token from standard input." placeholder:"-"`
	SessionID    *string `json:"session_id,omitempty" help:"Log out this session, by its id."`
	UserID       *string `json:"user_id,omitempty" help:"Log out everything of this user, or of one device with --device-id."`
	TenantID     *string `json:"tenant_id,omitempty" help:"The user's tenant; alone: everybody in it."`
	DeviceID     *string `json:"device_id,omitempty" help:"Only what is on this device of the user."`
	AppID        *string `json:"-" help:"Log out all sessions of this app."`
	Users        string  `json:"-" help:"Log out the users in this file: on each line a user id, or tenant id, tab, user id, in quotes or not; in UTF-8 or UTF-16. Blanks around them do not count. Users that are not found are listed." placeholder:"FILE"`
	Before       string  `json:"-" name:"authenticated-before" help:"Log out everything authenticated before this time (RFC 3339, or how long ago); with the three above: of those only." placeholder:"TIME"`
	Reason       *string `json:"reason,omitempty" help:"Why; subscribers get to read it. Required where many are logged out."`
}

// Validate refuses many without a reason.
func (c *revokeCmd) Validate() error {
	switch {
	case !c.bulk():
		return nil
	case c.SessionToken != nil, c.SessionID != nil, c.UserID != nil, c.DeviceID != nil:
		return errors.New("name one session or user, or many by --app-id, --tenant-id, --users or --authenticated-before, not both")
	case c.Reason == nil:
		return c.reasonFor("")
	}
	return nil
}

// bulk reports whether many are to be logged out at once.
func (c *revokeCmd) bulk() bool {
	one := c.SessionToken != nil || c.SessionID != nil || c.UserID != nil
	return c.AppID != nil || c.Users != "" || c.Before != "" || c.TenantID != nil && !one
}

// Run asks for the revocation and prints its id, or that of its job.
func (c *revokeCmd) Run(ctx context.Context, t *terminal) error {
	if c.bulk() {
		return c.many(ctx, t)
	}
	if c.UserID != nil && c.DeviceID == nil && !c.Yes && t.interactive {
		if err := t.confirm(fmt.Sprintf("Log out everything of user %q?", *c.UserID)); err != nil {
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

// many logs many out, as a job.
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
		"Make %d logout(s)? Everybody concerned has to log in again.", false}.run(ctx, t, selection)
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
			return nil, usage("on each line: a user id, or tenant id, tab, user id; quotes of a CSV file are taken off",
				"reading users from %s: line %d is neither", path, number+1)
		}
		if user := fields[len(fields)-1]; user != "" {
			users = append(users, listedUser{UserID: user, TenantID: strings.Join(fields[:len(fields)-1], "")})
		}
	}
	return users, nil
}
