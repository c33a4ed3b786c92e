package main

import (
	"context"
	"os"
	"runtime/debug"
	"time"

	"github.com/alecthomas/kong"
)

// drainTimeout is how long a stop may take: answering what is in flight and
// finishing what the workers have begun.
const drainTimeout = 9 * time.Second

// gcPercent is the garbage collector's, unless GOGC says otherwise. The heap is
// small: at Go's default a burst would have it collected many times a second.
const gcPercent = 200

// serveCmd runs the service.
type serveCmd struct {
	Settings
}

// Help is shown by serve --help.
func (serveCmd) Help() string {
	return "A setting is taken from its flag, else from its environment variable, else from the YAML file, else it has its default. " +
		"Only in the YAML file stand retry, sessions, trusted_origins, sap, elvis and push; the README shows them.\n\n" +
		"Secrets have no flags, which ps would show. $LOGOUTD_ADMIN_TOKEN (admin_token in the YAML file) is the token of the admin API; " +
		"default: generated into <data-dir>/admin.token. $LOGOUTD_SECRET (secret) is the key of CSRF tokens; default: generated into " +
		"<data-dir>/secret; it must be set where roles are split. Each has at least 32 bytes, without blanks. " +
		"$LOGOUTD_ADMIN_TOKEN_FILE, $LOGOUTD_SECRET_FILE, $LOGOUTD_NATS_URL_FILE and $LOGOUTD_REDIS_URL_FILE name files with the values in place of the variables."
}

// Run serves until ctx ends, at SIGTERM or SIGINT, then drains.
func (c *serveCmd) Run(ctx context.Context, given *kong.Context, resolver *fileResolver) error {
	if err := resolver.err; err != nil {
		return usage("the README shows what may stand in the file", "%w", err)
	}
	c.file = resolver.file
	c.readSecrets(given, resolver.plain)
	if err := c.check(); err != nil {
		return usage("logoutd serve --help shows all settings", "settings:\n%w", err)
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
