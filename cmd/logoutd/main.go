package main

import (
	"context"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"

	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/version"
)

// variables are what the tags of the command line name.
func variables() kong.Vars {
	return kong.Vars{"version": "logoutd " + version.String(), "defaultRate": strconv.Itoa(jobs.DefaultRate)}
}

// cli is the command line.
type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run the service."`
	Version versionCmd `cmd:"" help:"Print the version and the commit."`
	clientCommands
	Completion kongcompletion.Completion `cmd:"" help:"Print how to switch tab completion on."`

	VersionFlag kong.VersionFlag `name:"version" help:"Print the version and the commit."`
}

const description = "logoutd answers logouts at once and makes them true everywhere. " +
	"All commands but serve, version and completion ask the admin API of a running server, with the token in LOGOUTD_ADMIN_TOKEN, " +
	"in the file that LOGOUTD_ADMIN_TOKEN_FILE names, or in admin.token of the data directory. " + exitCodes

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if err := prepareEnvironment(); err != nil {
		return report(os.Stderr, usage("a setting comes from its variable, or from the file that the variable with _FILE at its end names", "settings:\n%w", err))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	settings := &fileResolver{}
	parser := kong.Must(&cli{}, kong.Name("logoutd"), kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.Resolvers(settings), kong.Bind(settings), variables(), kong.BindTo(ctx, (*context.Context)(nil)))
	kongcompletion.Register(parser) // answers what a shell asks, and ends the process then
	command, err := parser.Parse(args)
	if err != nil {
		return report(os.Stderr, err)
	}
	return report(os.Stderr, command.Run(newTerminal()))
}
