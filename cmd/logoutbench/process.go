package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

// process is a program that runs beside this one and ends with it.
type process struct {
	name  string
	cmd   *exec.Cmd
	said  transcript
	ended chan struct{}
}

// startProcess starts a program without the settings that logoutd would take
// from the environment, but with env.
func startProcess(name string, env []string, path string, args ...string) (*process, error) {
	p := &process{name: name, cmd: exec.Command(path, args...), ended: make(chan struct{})}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "LOGOUTD_") {
			p.cmd.Env = append(p.cmd.Env, variable)
		}
	}
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	endWithParent(p.cmd)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // the transcript says why it ended
	}()
	return p, nil
}

// startSelf starts a hidden command of this program and returns what it says
// it listens on.
func startSelf(ctx context.Context, command string, args ...string) (*process, string, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, "", fmt.Errorf("starting %s: %w", command, err)
	}
	p, err := startProcess(command, nil, path, append([]string{command}, args...)...)
	if err != nil {
		return nil, "", err
	}
	url, err := p.await(ctx, listeningLine)
	if err != nil {
		p.stop()
		return nil, "", err
	}
	return p, url, nil
}

// listeningLine is what hidden commands print.
var listeningLine = regexp.MustCompile(`(?m)^listening: (\S+)\n`)

// await waits until the program has printed what pattern matches, and returns
// its first group.
func (p *process) await(ctx context.Context, pattern *regexp.Regexp) (found string, err error) {
	err = eventually(ctx, startTimeout, func() (bool, error) {
		match := pattern.FindStringSubmatch(p.said.String())
		if match != nil {
			found = match[1]
			return true, nil
		}
		return false, p.alive()
	})
	if err != nil {
		return "", fmt.Errorf("waiting for %s to say where it listens: %w", p.name, err)
	}
	return found, nil
}

// alive returns an error with the last words of a program that has ended.
func (p *process) alive() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s has ended: %s", p.name, p.said.last())
	default:
		return nil
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop asks the program to end, and ends it if it does not.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails where it has ended
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.ended
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
