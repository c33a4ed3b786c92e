package main

import (
	"context"
	"fmt"
)

// registerCmd groups the registrations. The fields of the commands are the
// fields of the admin API. A flag that is not given is not sent; the server
// validates the rest.
type registerCmd struct {
	Session          registerSessionCmd          `cmd:"" help:"Register a session."`
	RefreshToken     registerRefreshTokenCmd     `cmd:"" help:"Register a refresh token."`
	PushRegistration registerPushRegistrationCmd `cmd:"" help:"Register a device at a push provider."`
}

type registerSessionCmd struct {
	clientFlags `json:"-"`
	outputFlags `json:"-"`

	SessionToken    *string `json:"session_token,omitempty" help:"The session token. Only - is allowed: it reads the token from standard input." placeholder:"-"`
	SessionID       *string `json:"session_id,omitempty" help:"Instead of the token: base64url(SHA-256(token)), unpadded."`
	UserID          *string `json:"user_id,omitempty" help:"The user."`
	TenantID        *string `json:"tenant_id,omitempty" help:"The user's tenant."`
	DeviceID        *string `json:"device_id,omitempty" help:"The user's device."`
	AppID           *string `json:"app_id,omitempty" help:"The app."`
	Kind            *string `json:"kind,omitempty" help:"api or browser. A logout of a browser session by cookie requires the CSRF token. Default: api."`
	AuthenticatedAt *string `json:"authenticated_at,omitempty" help:"When the user logged in (RFC 3339). Default: now."`
	ExpiresAt       *string `json:"expires_at,omitempty" help:"Expiry time (RFC 3339)."`
}

// Run registers the session and prints its id and CSRF token.
func (c *registerSessionCmd) Run(ctx context.Context, t *terminal) error {
	if err := t.secrets(c.SessionToken); err != nil {
		return err
	}
	var answer struct {
		SessionID string `json:"session_id"`
		CSRFToken string `json:"csrf_token"`
	}
	if err := c.put(ctx, "/v1/sessions", c, &answer); err != nil {
		return err
	}
	if c.json() {
		return printLine(t.out, answer)
	}
	return printTable(t.out, row{"session_id", answer.SessionID}, row{"csrf_token", answer.CSRFToken})
}

type registerRefreshTokenCmd struct {
	clientFlags `json:"-"`
	outputFlags `json:"-"`

	RefreshToken    *string `json:"refresh_token,omitempty" help:"The refresh token. Only - is allowed: it reads the token from standard input." placeholder:"-"`
	UserID          *string `json:"user_id,omitempty" help:"The user."`
	TenantID        *string `json:"tenant_id,omitempty" help:"The user's tenant."`
	SessionID       *string `json:"session_id,omitempty" help:"The session that this is bound to."`
	RotatedFrom     *string `json:"rotated_from,omitempty" help:"The refresh token that this one replaces. Only - is allowed: it reads the token from standard input." placeholder:"-"`
	AppID           *string `json:"app_id,omitempty" help:"The app."`
	AuthenticatedAt *string `json:"authenticated_at,omitempty" help:"When the user logged in (RFC 3339). Default: the time of the replaced token or bound session, else now."`
	ExpiresAt       *string `json:"expires_at,omitempty" help:"Expiry time (RFC 3339)."`
}

// Run registers the refresh token and prints its id.
func (c *registerRefreshTokenCmd) Run(ctx context.Context, t *terminal) error {
	if err := t.secrets(c.RefreshToken, c.RotatedFrom); err != nil {
		return err
	}
	var answer struct {
		RefreshTokenID string `json:"refresh_token_id"`
	}
	if err := c.put(ctx, "/v1/refresh-tokens", c, &answer); err != nil {
		return err
	}
	if c.json() {
		return printLine(t.out, answer)
	}
	return printTable(t.out, row{"refresh_token_id", answer.RefreshTokenID})
}

type registerPushRegistrationCmd struct {
	clientFlags `json:"-"`
	outputFlags `json:"-"`

	UserID       *string `json:"user_id,omitempty" help:"The user."`
	TenantID     *string `json:"tenant_id,omitempty" help:"The user's tenant."`
	DeviceID     *string `json:"device_id,omitempty" help:"The device."`
	AppID        *string `json:"app_id,omitempty" help:"The app on the device."`
	Provider     *string `json:"provider,omitempty" help:"The push provider: the name of a target in the settings."`
	PushToken    *string `json:"push_token,omitempty" help:"The device's address at the provider. Only - is allowed: it reads the token from standard input." placeholder:"-"`
	SessionID    *string `json:"session_id,omitempty" help:"The session that this is bound to."`
	RegisteredAt *string `json:"registered_at,omitempty" help:"When the device was registered (RFC 3339). Default: now."`
}

// Run registers the push registration and prints its id.
func (c *registerPushRegistrationCmd) Run(ctx context.Context, t *terminal) error {
	if err := t.secrets(c.PushToken); err != nil {
		return err
	}
	var answer struct {
		PushRegistrationID string   `json:"push_registration_id"`
		Warnings           []string `json:"warnings,omitempty"`
	}
	if err := c.put(ctx, "/v1/push-registrations", c, &answer); err != nil {
		return err
	}
	for _, warning := range answer.Warnings {
		fmt.Fprintln(t.err, "logoutd: warning:", warning)
	}
	if c.json() {
		return printLine(t.out, answer)
	}
	return printTable(t.out, row{"push_registration_id", answer.PushRegistrationID})
}

func (f clientFlags) put(ctx context.Context, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return f.call(ctx, "PUT", path, in, out)
}
