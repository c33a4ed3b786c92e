package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisServer is a redis-server that this program runs: nothing it has
// answered is lost in a power failure. It never writes its file anew: whether
// that takes half of the machine must not depend on when something is measured.
type redisServer struct {
	child  *child
	url    string
	client *redis.Client
}

// hasRedis tells whether there is a redis-server to run.
func hasRedis() bool {
	_, err := exec.LookPath("redis-server")
	return err == nil
}

func startRedis(ctx context.Context, dir string) (*redisServer, error) {
	port, err := freePort()
	if err != nil {
		return nil, fmt.Errorf("starting redis-server: %w", err)
	}
	c, err := startChild("redis-server", nil, "redis-server",
		"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", dir, "--save", "",
		"--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0",
		"--maxmemory-policy", "noeviction", "--lazyfree-lazy-expire", "yes")
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	r := &redisServer{child: c, url: "redis://" + address, client: newRedisClient(address)}
	err = eventually(ctx, startTimeout, func() (bool, error) {
		return r.client.Ping(ctx).Err() == nil, c.alive()
	})
	if err != nil {
		r.stop()
		return nil, fmt.Errorf("waiting for redis-server: %w", err)
	}
	return r, nil
}

func newRedisClient(address string) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: address})
}

func (r *redisServer) stop() {
	_ = r.client.Close()
	r.child.stop()
}

// hastily does something while Redis syncs nothing: what is registered for a
// measurement need not survive before it begins. Then it waits until Redis rests:
// after many new keys it moves all of them into a larger table, beside its work,
// which takes minutes unless its cron runs often, and half of its time.
func (r *redisServer) hastily(ctx context.Context, do func() error) error {
	if err := r.set(ctx, "appendfsync", "no", "hz", "500"); err != nil {
		return err
	}
	err := do()
	if err == nil {
		err = r.rested(ctx)
	}
	return errors.Join(err, r.set(ctx, "appendfsync", "always", "hz", "10"))
}

// set sets pairs of settings and values.
func (r *redisServer) set(ctx context.Context, settings ...string) error {
	for pair := range slices.Chunk(settings, 2) {
		if err := r.client.ConfigSet(ctx, pair[0], pair[1]).Err(); err != nil {
			return fmt.Errorf("setting %s of redis-server to %s: %w", pair[0], pair[1], err)
		}
	}
	return nil
}

const (
	restTimeout = time.Minute
	// restWindow is how long Redis must need little of a processor.
	restWindow = 300 * time.Millisecond
	little     = 0.2
)

// rested waits until Redis does nothing any more.
func (r *redisServer) rested(ctx context.Context) error {
	before, err := r.worked(ctx)
	if err != nil {
		return err
	}
	err = eventually(ctx, restTimeout, func() (bool, error) {
		if err := pause(ctx, restWindow); err != nil {
			return false, err
		}
		now, err := r.worked(ctx)
		rests := now-before < time.Duration(little*float64(restWindow))
		before = now
		return rests, err
	})
	if err != nil {
		return fmt.Errorf("waiting until redis-server rests: %w", err)
	}
	return nil
}

// worked is how much time of a processor Redis has taken.
func (r *redisServer) worked(ctx context.Context) (time.Duration, error) {
	info, err := r.client.InfoMap(ctx, "cpu").Result()
	if err != nil {
		return 0, fmt.Errorf("asking redis-server for its time: %w", err)
	}
	var seconds float64
	for _, name := range []string{"used_cpu_user", "used_cpu_sys"} {
		part, err := strconv.ParseFloat(info["CPU"][name], 64)
		if err != nil {
			return 0, fmt.Errorf("reading %s of redis-server: %w", name, err)
		}
		seconds += part
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// slowThreshold is what counts as slow, in milliseconds.
const slowThreshold = 10

// watchSlow makes Redis take down what is slow, from now on.
func (r *redisServer) watchSlow(ctx context.Context) error {
	_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.ConfigSet(ctx, "slowlog-log-slower-than", strconv.Itoa(slowThreshold*1000))
		p.ConfigSet(ctx, "latency-monitor-threshold", strconv.Itoa(slowThreshold))
		p.Do(ctx, "SLOWLOG", "RESET")
		p.Do(ctx, "LATENCY", "RESET")
		return nil
	})
	if err != nil {
		return fmt.Errorf("watching slow commands: %w", err)
	}
	return nil
}

// slow returns how many commands were slow, by the slow log, and the slowest
// by the latency monitor, in milliseconds: 0 where there was none.
func (r *redisServer) slow(ctx context.Context) (commands, slowest int64, err error) {
	if commands, err = r.client.Do(ctx, "SLOWLOG", "LEN").Int64(); err != nil {
		return 0, 0, fmt.Errorf("reading slow log: %w", err)
	}
	latest, err := r.client.Do(ctx, "LATENCY", "LATEST").Slice()
	if err != nil {
		return 0, 0, fmt.Errorf("reading latency monitor: %w", err)
	}
	for _, entry := range latest { // event, time, latest, most
		fields, ok := entry.([]any)
		if !ok || len(fields) < 4 || fields[0] != "command" && fields[0] != "fast-command" {
			continue
		}
		if most, ok := fields[3].(int64); ok {
			slowest = max(slowest, most)
		}
	}
	return commands, slowest, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
