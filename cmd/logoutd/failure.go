package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// failure is an error with a hint at what to do about it.
type failure struct {
	error
	hint  string
	usage bool // the command line is wrong
}

func (f *failure) Unwrap() error { return f.error }

func usage(hint, format string, args ...any) error {
	return &failure{error: fmt.Errorf(format, args...), hint: hint, usage: true}
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
	if isFailure && f.usage || errors.As(err, &parse) {
		return exitUsage
	}
	return exitFailed
}
