package main

import (
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/term"
)

// newLogger logs to standard error: coloured text on a terminal, JSON otherwise.
func newLogger(format, level string) *slog.Logger {
	var threshold slog.Level
	_ = threshold.UnmarshalText([]byte(level)) // the command line allows only valid levels
	if format == "tint" || format == "auto" && term.IsTerminal(int(os.Stderr.Fd())) {
		return slog.New(tint.NewTextHandler(os.Stderr, &tint.Options{
			Level: threshold, TimeFormat: time.TimeOnly, NoColor: !term.IsTerminal(int(os.Stderr.Fd())),
		}))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: threshold}))
}
