package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

// Exit codes, for scripts.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2 // the command line is invalid
	exitNothing     = 3 // not found, or nothing to do
	exitUnavailable = 4 // the server or a dependency is unavailable: try again
	exitDenied      = 5 // the token is invalid, or its role is not sufficient
	exitPart        = 6 // partly done: cancelled, paused, or some items failed or are unknown
	exitUnknown     = 7 // status: the logout, session or user is unknown
)

// exitCodes lists the exit codes in the help.
const exitCodes = "Exit codes: 0 done, 1 failed, 2 invalid command line, 3 not found or nothing to do, " +
	"4 server unavailable, 5 not allowed, 6 partly done, 7 unknown to status."

// failure is an error with a hint that says what to do.
type failure struct {
	error
	hint string
	code int // exit code; 0: exitFailed
}

func (f *failure) Unwrap() error { return f.error }

func usage(hint, format string, args ...any) error {
	return &failure{error: fmt.Errorf(format, args...), hint: hint, code: exitUsage}
}

// report prints an error and returns its exit code.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(stderr, "logoutd:", err)
	var parse *kong.ParseError
	var f *failure
	isFailure := errors.As(err, &f)
	if isFailure && f.hint != "" {
		fmt.Fprintln(stderr, "hint:", f.hint)
	}
	switch {
	case isFailure && f.code != 0:
		return f.code
	case errors.As(err, &parse):
		return exitUsage
	}
	return exitFailed
}
