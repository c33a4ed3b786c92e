package main

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
)

// cli is the command line.
type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run the service."`
	Version versionCmd `cmd:"" help:"Print the version."`
	clientCommands
	Completion kongcompletion.Completion `cmd:"" help:"Print how to switch tab completion on."`
}

const description = "logoutd answers logouts at once and makes them true everywhere. " +
	"All commands but serve, version and completion ask the admin API of a running server. " + exitCodes

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	dropEmptySettings()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	settings := &fileResolver{}
	parser := kong.Must(&cli{}, kong.Name("logoutd"), kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.Resolvers(settings), kong.Bind(settings), kong.BindTo(ctx, (*context.Context)(nil)))
	kongcompletion.Register(parser) // answers what a shell asks, and ends the process then
	command, err := parser.Parse(args)
	if err != nil {
		return report(os.Stderr, err)
	}
	return report(os.Stderr, command.Run(newTerminal()))
}

// dropEmptySettings takes an empty LOGOUTD_ variable for one that is not set,
// as whoever leaves a line of a compose file empty means it.
func dropEmptySettings() {
	for _, variable := range os.Environ() {
		if name, value, _ := strings.Cut(variable, "="); value == "" && strings.HasPrefix(name, "LOGOUTD_") {
			_ = os.Unsetenv(name)
		}
	}
}
