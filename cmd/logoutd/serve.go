package main

import (
	"context"
	"os"
	"runtime/debug"
	"time"

	"github.com/alecthomas/kong"
)

// drainTimeout bounds a stop: answering the requests in flight and finishing
// the work that the workers have begun.
const drainTimeout = 9 * time.Second

// gcPercent is the garbage collector's target percentage, unless GOGC is set.
// The heap is small: with Go's default a burst would trigger many collections a
// second.
const gcPercent = 200

// serveCmd runs the service.
type serveCmd struct {
	Settings
}

// Help is shown by serve --help.
func (serveCmd) Help() string {
	return "Each setting comes from its flag, its environment variable, the YAML file or its default, in this order. " +
		"retry, sessions, trusted_origins, sap, elvis and targets can be set only in the YAML file; the README shows them.\n\n" +
		"Secrets have no flags, because ps would show them. $LOGOUTD_ADMIN_TOKEN (admin_token in the YAML file) is the token of the admin API; " +
		"default: generated and stored in <data-dir>/admin.token. $LOGOUTD_SECRET (secret) is the key that signs CSRF tokens; default: generated and stored in " +
		"<data-dir>/secret; required if roles are split. Each needs at least 32 bytes and no blanks. " +
		"$LOGOUTD_ADMIN_TOKEN_FILE, $LOGOUTD_SECRET_FILE, $LOGOUTD_NATS_URL_FILE and $LOGOUTD_REDIS_URL_FILE name files that hold the values; set one of them instead of the variable."
}

// Run serves until ctx ends, at SIGTERM or SIGINT, then drains.
func (c *serveCmd) Run(ctx context.Context, given *kong.Context, resolver *fileResolver) error {
	if err := resolver.err; err != nil {
		return usage("the README lists the keys of the file", "%w", err)
	}
	c.file = resolver.file
	c.readSecrets(given, resolver.plain)
	if err := c.check(); err != nil {
		return usage("logoutd serve --help lists all settings", "settings:\n%w", err)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	service, err := newService(ctx, &c.Settings, newLogger(c.LogFormat, c.LogLevel))
	if err != nil {
		return err
	}
	service.announce(os.Stdout)
	return service.run(ctx)
}
