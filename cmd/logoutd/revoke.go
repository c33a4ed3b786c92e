package main

import (
	"context"
	"fmt"
)

type revokeCmd struct {
	clientFlags `json:"-"`
	outputFlags `json:"-"`

	SessionToken *string `json:"session_token,omitempty" help:"Log out this session; - reads the token from standard input."`
	SessionID    *string `json:"session_id,omitempty" help:"Log out this session, by its id."`
	UserID       *string `json:"user_id,omitempty" help:"Log out everything of this user, or of one device with --device-id."`
	TenantID     *string `json:"tenant_id,omitempty" help:"The user's tenant."`
	DeviceID     *string `json:"device_id,omitempty" help:"Only what is on this device of the user."`
	Reason       *string `json:"reason,omitempty" help:"Why; subscribers get to read it."`
	Yes          bool    `json:"-" short:"y" help:"Do not ask before logging out a whole user."`
}

// Run asks for the revocation and prints its id.
func (c *revokeCmd) Run(ctx context.Context, t *terminal) error {
	if c.UserID != nil && c.DeviceID == nil && !c.Yes && t.interactive {
		if err := t.confirm(fmt.Sprintf("Log out everything of user %q?", *c.UserID)); err != nil {
			return err
		}
	}
	if err := t.secrets(c.SessionToken); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var answer struct {
		ID string `json:"id"`
	}
	if err := c.call(ctx, "POST", "/v1/revocations", c, &answer); err != nil {
		return err
	}
	if c.json() {
		return printLine(t.out, answer)
	}
	return printTable(t.out, row{answer.ID})
}
