package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// redisServer is a redis-server that this program runs. It syncs every write
// before it answers, and never rewrites its file during a measurement.
type redisServer struct {
	process *process
	url     string
	client  *redis.Client
}

func startRedis(ctx context.Context, dir string) (*redisServer, error) {
	port, err := freePort()
	if err != nil {
		return nil, fmt.Errorf("starting redis-server: %w", err)
	}
	p, err := startProcess("redis-server", nil, "redis-server",
		"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", dir, "--save", "",
		"--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0",
		"--maxmemory-policy", "noeviction", "--lazyfree-lazy-expire", "yes")
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	r := &redisServer{process: p, url: "redis://" + address, client: redis.NewClient(&redis.Options{Addr: address})}
	err = eventually(ctx, startTimeout, func() (bool, error) { return r.client.Ping(ctx).Err() == nil, p.alive() })
	if err != nil {
		r.stop()
		return nil, fmt.Errorf("waiting for redis-server: %w", err)
	}
	return r, nil
}

func (r *redisServer) stop() {
	_ = r.client.Close()
	r.process.stop()
}

// unsynced does something while Redis syncs nothing: what is registered for a
// measurement need not survive a crash before it begins.
func (r *redisServer) unsynced(ctx context.Context, do func() error) error {
	if err := r.client.ConfigSet(ctx, "appendfsync", "no").Err(); err != nil {
		return fmt.Errorf("setting appendfsync of redis-server: %w", err)
	}
	return errors.Join(do(), r.client.ConfigSet(ctx, "appendfsync", "always").Err())
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}
