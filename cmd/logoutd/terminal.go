package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/logoutd/logoutd/internal/text"
)

// terminal is the input and output of a command: data goes to out, prose to err.
type terminal struct {
	in          *bufio.Reader
	out, err    io.Writer
	interactive bool // standard input is a terminal
	watched     bool // standard error is a terminal
}

func newTerminal() *terminal {
	return &terminal{
		in: bufio.NewReader(os.Stdin), out: os.Stdout, err: os.Stderr,
		interactive: term.IsTerminal(int(os.Stdin.Fd())),
		watched:     term.IsTerminal(int(os.Stderr.Fd())),
	}
}

// secrets replaces each value, which must be "-", by a line of standard input.
// It refuses any other value: every user of the machine can see the arguments of
// a process.
func (t *terminal) secrets(values ...*string) error {
	for _, value := range values {
		if value == nil {
			continue
		}
		if *value != "-" {
			return usage("pass - instead, and the token on standard input: one line for each -",
				"a token on the command line is not allowed: the process list shows it")
		}
		line, err := t.in.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			if err == nil {
				err = io.ErrUnexpectedEOF
			}
			return usage("pass one line on standard input for each value of \"-\"", "reading a token from standard input: %w", err)
		}
		*value = line
	}
	return nil
}

// confirm asks for confirmation before something that cannot be undone.
func (t *terminal) confirm(question string) error {
	if !t.interactive {
		return usage("pass --yes to skip the confirmation", "not confirmed: standard input is not a terminal")
	}
	fmt.Fprintf(t.err, "%s [y/N] ", question)
	reply, _ := t.in.ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(reply)) {
	case "y", "yes":
		return nil
	}
	return &failure{error: fmt.Errorf("not confirmed: nothing was done"), hint: "answer y to confirm", code: exitNothing}
}

// plain makes a text from elsewhere safe to print on a terminal.
func plain(s string) string { return text.Plain(s) }
