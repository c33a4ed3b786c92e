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

// variables returns the values that the tags of the command line refer to.
func variables() kong.Vars {
	return kong.Vars{"version": "logoutd " + version.String(), "defaultRate": strconv.Itoa(jobs.DefaultRate)}
}

// cli is the command line.
type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run the service."`
	Version versionCmd `cmd:"" help:"Print the version and the commit."`
	clientCommands
	Completion kongcompletion.Completion `cmd:"" help:"Print how to enable tab completion."`

	VersionFlag kong.VersionFlag `name:"version" help:"Print the version and the commit."`
}

const description = "logoutd answers logouts at once and enforces them everywhere. " +
	"All commands except serve, version and completion call the admin API of a running server. They read the admin token from LOGOUTD_ADMIN_TOKEN, " +
	"from the file named by LOGOUTD_ADMIN_TOKEN_FILE, or from admin.token in the data directory. " + exitCodes

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if err := prepareEnvironment(); err != nil {
		return report(os.Stderr, usage("set either the variable itself or NAME_FILE, the path of a file with the value", "settings:\n%w", err))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	settings := &fileResolver{}
	parser := kong.Must(&cli{}, kong.Name("logoutd"), kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.Resolvers(settings), kong.Bind(settings), variables(), kong.BindTo(ctx, (*context.Context)(nil)))
	kongcompletion.Register(parser) // answers a shell's completion request and exits
	command, err := parser.Parse(args)
	if err != nil {
		return report(os.Stderr, err)
	}
	return report(os.Stderr, command.Run(newTerminal()))
}
