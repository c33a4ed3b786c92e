package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"
)

// cli is the command line.
type cli struct {
	Run   runCmd   `cmd:"" help:"Load a deployment and print throughput and latency."`
	Suite suiteCmd `cmd:"" help:"Measure everything that there are targets for, beside baselines. Takes about ten minutes."`
	Soak  soakCmd  `cmd:"" help:"Load a deployment for a long time and watch its memory."`

	Bare       bareCmd       `cmd:"" hidden:""`
	Inline     inlineCmd     `cmd:"" hidden:""`
	NATSServer natsServerCmd `cmd:"" hidden:"" name:"nats-server"`
}

const description = "logoutbench measures logoutd: a deployment of yours, or one that it starts itself. " +
	"Results go to standard output, progress to standard error."

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	shown := newProgress(os.Stderr, term.IsTerminal(int(os.Stderr.Fd())))
	parser := kong.Must(&cli{}, kong.Name("logoutbench"), kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.Bind(shown), kong.BindTo(ctx, (*context.Context)(nil)))
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "logoutbench:", err)
		return 2
	}
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("interrupted")
		}
		fmt.Fprintln(os.Stderr, "logoutbench:", err)
		return 1
	}
	return 0
}
