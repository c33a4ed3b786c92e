package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// eventually polls until ok, and fails the test where it takes too long.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !within(patience, ok) {
		t.Fatalf("%s: not within %s", what, patience)
	}
}

// within polls until ok or until d is over, and returns whether it was ok.
func within(d time.Duration, ok func() bool) bool {
	deadline := time.After(d)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			return false
		case <-tick.C:
		}
	}
	return true
}

// process is a program beside the test. It ends with the test at the latest;
// if that fails, the end of its log is shown.
type process struct {
	t      testing.TB
	cmd    *exec.Cmd
	stdout output
	stderr output
	ended  chan struct{}
}

// launch starts a program with nothing in its environment but env and what
// any program has.
func launch(t testing.TB, dir string, env []string, name string, args ...string) *process {
	t.Helper()
	return launchWith(t, "", dir, env, name, args...)
}

// launchWith is launch for a program that reads its standard input.
func launchWith(t testing.TB, stdin, dir string, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(name, args...), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdin = dir, strings.NewReader(stdin)
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}, env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // ProcessState tells how
	}()
	t.Cleanup(p.end)
	return p
}

func (p *process) end() {
	p.kill()
	if p.t.Failed() && p.stderr.String() != "" {
		p.t.Logf("%s said at the end:\n%s", p.cmd.Args[0], p.stderr.tail(20))
	}
}

// kill ends the process as a crash would, and waits for it.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// signal does nothing to a process that has ended.
func (p *process) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("signalling %s: %v", p.cmd.Args[0], err)
	}
}

// await polls until ok, and fails the test at once where the process ends.
func (p *process) await(what string, ok func() bool) {
	p.t.Helper()
	eventually(p.t, what, func() bool {
		select {
		case <-p.ended:
			p.t.Fatalf("%s: %s has ended", what, p.cmd.Args[0])
		default:
		}
		return ok()
	})
}

// exit waits for the process to end and returns its exit code, -1 where a
// signal ended it, and how long it took.
func (p *process) exit(most time.Duration) (code int, took time.Duration) {
	p.t.Helper()
	start := time.Now()
	select {
	case <-p.ended:
	case <-time.After(most):
		p.t.Fatalf("%v has not ended within %s", p.cmd.Args, most)
	}
	return p.cmd.ProcessState.ExitCode(), time.Since(start)
}

// output keeps what a process prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

func (o *output) contains(text string) bool { return strings.Contains(o.String(), text) }

// tail returns the last lines.
func (o *output) tail(lines int) string {
	all := strings.Split(strings.TrimSpace(o.String()), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
