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
	exitUsage       = 2 // the command line is wrong
	exitNothing     = 3 // there is no such thing, or nothing to do
	exitUnavailable = 4 // the server, or what it needs, is away: try again
	exitDenied      = 5 // the token is wrong, or its role too small
	exitPart        = 6 // done in part: cancelled, paused, or some of it failed or is not known
	exitUnknown     = 7 // status: nothing is known of the logout, session or user
)

// exitCodes tells of them in the help.
const exitCodes = "Exit codes: 0 done, 1 failed, 2 command line wrong, 3 no such thing or nothing to do, " +
	"4 server unavailable, 5 not allowed, 6 done in part, 7 nothing is known of what status asks for."

// failure is an error with a hint at what to do about it.
type failure struct {
	error
	hint string
	code int // exit code; 0: exitFailed
}

func (f *failure) Unwrap() error { return f.error }

func usage(hint, format string, args ...any) error {
	return &failure{error: fmt.Errorf(format, args...), hint: hint, code: exitUsage}
}

// report prints an error as prose and returns the exit code that it means.
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
