package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"
)

// cli is the command line.
type cli struct {
	Run   runCmd   `cmd:"" help:"Load a deployment and print throughput and latency."`
	Suite suiteCmd `cmd:"" help:"Measure logoutd beside its baselines. Takes about six minutes."`

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
	parser := kong.Must(&cli{}, kong.Name("logoutbench"), kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.BindTo(ctx, (*context.Context)(nil)))
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

// began is when the program started.
var began = time.Now()

// progress tells on standard error what begins now.
func progress(format string, v ...any) {
	fmt.Fprintf(os.Stderr, "%6.1fs  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, v...))
}

// printTable aligns rows in columns.
func printTable(out io.Writer, rows [][]string) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// writeFile replaces a file as a whole, and makes its directory if need be.
func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	if err := os.WriteFile(path+".new", content, 0o644); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}
