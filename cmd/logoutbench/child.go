package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// startTimeout is how long a program may take until it says that it runs.
	startTimeout = time.Minute
	// stopTimeout is how long a program may take to end when it is asked to.
	stopTimeout = 20 * time.Second
	// pollEvery is how often it is looked whether something has happened.
	pollEvery = 10 * time.Millisecond
)

// child is a program that runs beside this one and ends with it.
type child struct {
	name  string
	cmd   *exec.Cmd
	said  transcript
	ended chan struct{}
}

// startChild starts a program without the settings that logoutd would take
// from the environment, but with env.
func startChild(name string, env []string, path string, args ...string) (*child, error) {
	c := &child{name: name, cmd: exec.Command(path, args...), ended: make(chan struct{})}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "LOGOUTD_") {
			c.cmd.Env = append(c.cmd.Env, variable)
		}
	}
	c.cmd.Env = append(c.cmd.Env, env...)
	c.cmd.Stdout, c.cmd.Stderr = &c.said, &c.said
	endWithParent(c.cmd)
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		defer close(c.ended)
		_ = c.cmd.Wait() // the transcript says why it ended
	}()
	return c, nil
}

// startSelf starts a hidden command of this program and returns what it says
// it listens on.
func startSelf(ctx context.Context, command string, args ...string) (*child, string, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, "", fmt.Errorf("starting %s: %w", command, err)
	}
	c, err := startChild(command, nil, path, append([]string{command}, args...)...)
	if err != nil {
		return nil, "", err
	}
	url, err := c.await(ctx, listeningLine)
	if err != nil {
		c.stop()
		return nil, "", err
	}
	return c, url, nil
}

// Hidden commands print where they listen.
var listeningLine = regexp.MustCompile(`(?m)^listening: (\S+)\n`)

func printListening(out io.Writer, url string) { fmt.Fprintln(out, "listening:", url) }

// await waits until the program has printed what pattern matches, and returns
// its first group.
func (c *child) await(ctx context.Context, pattern *regexp.Regexp) (found string, err error) {
	err = eventually(ctx, startTimeout, func() (bool, error) {
		match := pattern.FindStringSubmatch(c.said.String())
		if match != nil {
			found = match[1]
			return true, nil
		}
		return false, c.alive()
	})
	if err != nil {
		return "", fmt.Errorf("waiting for %s to say where it listens: %w", c.name, err)
	}
	return found, nil
}

// alive returns an error with the last words of a program that has ended.
func (c *child) alive() error {
	select {
	case <-c.ended:
		return fmt.Errorf("%s has ended: %s", c.name, c.said.last())
	default:
		return nil
	}
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// stop asks the program to end, and ends it if it does not.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // fails where it has ended
	select {
	case <-c.ended:
	case <-time.After(stopTimeout):
		_ = c.cmd.Process.Kill()
		<-c.ended
	}
}

// transcript keeps the end of what a program has printed.
type transcript struct {
	mu   sync.Mutex
	text []byte
}

const transcriptSize = 64 << 10

// Write implements [io.Writer].
func (t *transcript) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if over := len(t.text) - transcriptSize; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(b), nil
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

// last returns the last line.
func (t *transcript) last() string {
	lines := bytes.Split(bytes.TrimSpace([]byte(t.String())), []byte("\n"))
	return string(lines[len(lines)-1])
}

var errTooLong = errors.New("it takes too long")

// eventually polls until it is done, fails, takes too long, or ctx ends.
func eventually(ctx context.Context, timeout time.Duration, done func() (bool, error)) error {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-timer.C:
			return errTooLong
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
