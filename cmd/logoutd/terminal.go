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

// terminal is what a command reads and prints: data to out, prose to err.
type terminal struct {
	in          *bufio.Reader
	out, err    io.Writer
	interactive bool // somebody is there to answer
	watched     bool // somebody sees err as it is written
}

func newTerminal() *terminal {
	return &terminal{
		in: bufio.NewReader(os.Stdin), out: os.Stdout, err: os.Stderr,
		interactive: term.IsTerminal(int(os.Stdin.Fd())),
		watched:     term.IsTerminal(int(os.Stderr.Fd())),
	}
}

// secrets replaces each value, which must be "-", by a line of standard input.
// Any other value is refused: every user of the machine reads the arguments of
// a process in the list of processes.
func (t *terminal) secrets(values ...*string) error {
	for _, value := range values {
		if value == nil {
			continue
		}
		if *value != "-" {
			return usage("pass - in place of the token, and the token on standard input: one line for each -",
				"a token on the command line is refused: the list of processes shows it")
		}
		line, err := t.in.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			if err == nil {
				err = io.ErrUnexpectedEOF
			}
			return usage("a value of \"-\" is read from standard input, one line for each", "reading a token from standard input: %w", err)
		}
		*value = line
	}
	return nil
}

// confirm asks before something that cannot be taken back.
func (t *terminal) confirm(question string) error {
	if !t.interactive {
		return usage("say --yes to do it without being asked", "not done: nobody is at a terminal to confirm it")
	}
	fmt.Fprintf(t.err, "%s [y/N] ", question)
	reply, _ := t.in.ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(reply)) {
	case "y", "yes":
		return nil
	}
	return &failure{error: fmt.Errorf("not done"), hint: "answer y to do it", code: exitNothing}
}

// plain returns a text from elsewhere as it can stand on a terminal.
func plain(s string) string { return text.Plain(s) }
