package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// bench is what all measurements share: the program to measure, a directory
// that is removed in the end, and what was measured so far.
type bench struct {
	logoutd  string // as told; empty: to be found
	dir      string
	progress *progress
	// foreign: others may use the system too, so that its backlog is never
	// waited for.
	foreign bool
	runs    []namedRun

	mu   sync.Mutex
	dirs int
}

// namedRun is a run that the report shows.
type namedRun struct {
	name string
	*result
}

// newBench makes a directory below parent; empty: where temporary files go.
func newBench(logoutd, parent string, p *progress) (*bench, error) {
	dir, err := os.MkdirTemp(parent, "logoutbench")
	if err != nil {
		return nil, fmt.Errorf("making a directory for data: %w", err)
	}
	return &bench{logoutd: logoutd, dir: dir, progress: p}, nil
}

func (b *bench) close() { _ = os.RemoveAll(b.dir) }

// newDir makes a directory of its own for a program.
func (b *bench) newDir() (string, error) {
	b.mu.Lock()
	b.dirs++
	dir := filepath.Join(b.dir, fmt.Sprint(b.dirs))
	b.mu.Unlock()
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("making a directory for data: %w", err)
	}
	return dir, nil
}

// deploy starts a logoutd.
func (b *bench) deploy(ctx context.Context, o deployOptions) (*deployment, error) {
	program, err := findLogoutd(b.logoutd)
	if err != nil {
		return nil, err
	}
	dir, err := b.newDir()
	if err != nil {
		return nil, err
	}
	d, err := newDeployment(program, dir, o)
	if err != nil {
		return nil, err
	}
	if _, err := d.start(ctx); err != nil {
		d.stop()
		return nil, err
	}
	return d, nil
}

// nats starts a nats-server.
func (b *bench) nats(ctx context.Context) (*child, string, error) {
	dir, err := b.newDir()
	if err != nil {
		return nil, "", err
	}
	return startSelf(ctx, "nats-server", "--dir", dir)
}

// redis starts a redis-server.
func (b *bench) redis(ctx context.Context) (*redisServer, error) {
	dir, err := b.newDir()
	if err != nil {
		return nil, err
	}
	return startRedis(ctx, dir)
}

// load runs a load and shows its progress.
func (b *bench) load(ctx context.Context, l load) (*result, error) {
	ctx, cancel := context.WithCancel(ctx)
	shown := make(chan struct{})
	l.observed = func(r *recorder) {
		go func() {
			defer close(shown)
			for pause(ctx, 500*time.Millisecond) == nil {
				b.progress.running(r)
			}
		}()
	}
	out, err := l.run(ctx)
	cancel()
	if out != nil {
		<-shown
	}
	return out, err
}

// keep has the report show a run.
func (b *bench) keep(name string, r *result) { b.runs = append(b.runs, namedRun{name, r}) }

// warmUp is how long a fresh system is loaded before it is measured, and
// warmUpRate how many sessions a second are registered for that.
const (
	warmUp     = time.Second
	warmUpRate = 40_000
)

// prepare registers users for a closed loop: as many as a warm-up says are
// needed, and a reserve, since a warm system is faster.
func (b *bench) prepare(ctx context.Context, s *system, c *crowd, l load) error {
	short := l
	short.duration = min(warmUp, l.duration)
	if err := b.provide(ctx, s, c, int(warmUpRate*short.duration.Seconds())); err != nil {
		return err
	}
	first, err := b.load(ctx, short)
	if err != nil {
		return fmt.Errorf("warming up: %w", err)
	}
	return b.provide(ctx, s, c, int(first.throughput()*1.5*l.duration.Seconds()))
}

// provide registers users until n are left, and waits until the system has
// nothing else to do.
func (b *bench) provide(ctx context.Context, s *system, c *crowd, n int) error {
	if missing := n - c.left(); missing > 0 {
		if err := c.register(ctx, s, int(c.registered.Load())+missing, b.progress.registered); err != nil {
			return err
		}
	}
	if b.foreign {
		return nil
	}
	return s.settled(ctx)
}
