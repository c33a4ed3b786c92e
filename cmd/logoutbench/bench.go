package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// benchFlags say what is run where.
type benchFlags struct {
	Logoutd string `help:"The logoutd to run. Default: the one beside this program, or on the PATH." placeholder:"FILE" type:"path"`
	DataDir string `help:"Where data is kept while this program runs: the disk that is measured. Default: where temporary files go." placeholder:"DIR" type:"existingdir"`
	JSON    string `name:"json" help:"Write the results as JSON too." placeholder:"FILE" type:"path"`
}

// bench runs the programs of a measurement in a directory that is removed in
// the end.
type bench struct {
	logoutd string
	dir     string
	dirs    int
	stops   []func()
}

func (f benchFlags) open() (*bench, error) {
	dir, err := os.MkdirTemp(f.DataDir, "logoutbench")
	if err != nil {
		return nil, fmt.Errorf("making a directory for data: %w", err)
	}
	return &bench{logoutd: f.Logoutd, dir: dir}, nil
}

// close ends what still runs, the last first.
func (b *bench) close() {
	b.stop()
	_ = os.RemoveAll(b.dir)
}

// stop ends what runs, so that the next measurement has the machine for itself.
func (b *bench) stop() {
	for _, stop := range slices.Backward(b.stops) {
		stop()
	}
	b.stops = nil
}

func (b *bench) newDir() (string, error) {
	b.dirs++
	dir := filepath.Join(b.dir, fmt.Sprint(b.dirs))
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
	b.stops = append(b.stops, d.stop)
	return d, d.start(ctx)
}

// nats starts a nats-server and returns its URL.
func (b *bench) nats(ctx context.Context) (string, error) {
	dir, err := b.newDir()
	if err != nil {
		return "", err
	}
	p, url, err := startSelf(ctx, "nats-server", "--dir", dir)
	if err != nil {
		return "", err
	}
	b.stops = append(b.stops, p.stop)
	return url, nil
}

var errNoRedis = errors.New("redis-server is not on the PATH")

// redis starts a redis-server.
func (b *bench) redis(ctx context.Context) (*redisServer, error) {
	dir, err := b.newDir()
	if err != nil {
		return nil, err
	}
	r, err := startRedis(ctx, dir)
	if err != nil {
		return nil, err
	}
	b.stops = append(b.stops, r.stop)
	return r, nil
}

// provider starts a push provider that answers at once, and returns its URL.
func (b *bench) provider(ctx context.Context) (string, error) {
	p, url, err := startSelf(ctx, "bare")
	if err != nil {
		return "", err
	}
	b.stops = append(b.stops, p.stop)
	return url + "/{push_token}", nil
}

// pushSettings are the settings of a logoutd that knows the provider.
func pushSettings(url string) string {
	return fmt.Sprintf("targets:\n  - {name: %s, kind: http, url: %q}\n", pushProvider, url)
}
