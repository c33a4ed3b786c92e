package redisstore_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/redisstore"
	"github.com/logoutd/logoutd/store/redisstore/redistest"
)

func mustDo(t *testing.T, c *redis.Client, args ...any) any {
	t.Helper()
	reply, err := c.Do(t.Context(), args...).Result()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return reply
}

// failSnapshots makes each snapshot of a server fail, and waits for one.
func failSnapshots(t *testing.T, c *redis.Client) {
	t.Helper()
	config, err := c.ConfigGet(t.Context(), "dir").Result()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(config["dir"], "dump.rdb"), 0o700); err != nil {
		t.Fatal(err)
	}
	mustDo(t, c, "config", "set", "save", "3600 1")
	mustDo(t, c, "bgsave")
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if strings.Contains(c.Info(t.Context(), "persistence").Val(), "rdb_last_bgsave_status:err") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the snapshot does not fail")
		}
	}
}

// Redis answers a PING while it refuses every write.
func TestPingFailsWhereRedisRefusesToWrite(t *testing.T) {
	t.Parallel()
	for code, refuse := range map[string]func(*testing.T, *redis.Client){
		"READONLY": func(t *testing.T, c *redis.Client) { mustDo(t, c, "replicaof", "127.0.0.1", "1") },
		"OOM":      func(t *testing.T, c *redis.Client) { mustDo(t, c, "config", "set", "maxmemory", "1") },
		"MISCONF":  failSnapshots,
		"NOPERM": func(t *testing.T, c *redis.Client) {
			mustDo(t, c, "acl", "setuser", "default", "-@write")
		},
		"NOREPLICAS": func(t *testing.T, c *redis.Client) { mustDo(t, c, "config", "set", "min-replicas-to-write", "1") },
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			s, err := redisstore.Open(server.URL(), redisstore.Config{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			if err := s.Ping(t.Context()); err != nil {
				t.Fatalf("before: %v", err)
			}
			refuse(t, server.Client())
			err = s.Ping(t.Context())
			var refused *store.RefusedError
			if !errors.As(err, &refused) || refused.Code != code || !errors.Is(err, store.ErrUnavailable) {
				t.Fatalf("error %v, want a refusal with the code %s", err, code)
			}
			if strings.Contains(err.Error(), server.Addr()) {
				t.Errorf("the error names an address: %v", err)
			}
		})
	}
}

// A server that has restarted answers -LOADING until it has read its data.
func TestPingFailsWhileRedisLoads(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	mustDo(t, server.Client(), "eval", "for i = 1, 50000 do redis.call('set', 'filler:' .. i, i) end return 1", "0")
	s, err := redisstore.Open(server.URL(), redisstore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	server.Stop()
	server.RestartLoading()
	err = s.Ping(t.Context())
	var refused *store.RefusedError
	if !errors.As(err, &refused) || refused.Code != "LOADING" || !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("error %v, want a refusal with the code LOADING", err)
	}
	server.Loaded()
	for deadline := time.Now().Add(10 * time.Second); s.Ping(t.Context()) != nil; <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the store does not come back")
		}
	}
}

func TestPingWritesToEachMasterAndLeavesNothing(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	s, err := redisstore.Open(cluster.URL(), redisstore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, node := range cluster.Nodes {
		if n := node.Client().DBSize(t.Context()).Val(); n != 0 {
			t.Errorf("%d keys are left", n)
		}
		mustDo(t, node.Client(), "config", "set", "min-replicas-to-write", "1")
		var refused *store.RefusedError
		if err := s.Ping(t.Context()); !errors.As(err, &refused) {
			t.Errorf("one master refuses to write, and the ping says %v", err)
		}
		mustDo(t, node.Client(), "config", "set", "min-replicas-to-write", "0")
	}
}

func TestWarningsOfSettingsThatForget(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s, err := redisstore.Open(server.URL(), redisstore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	client := server.Client()
	for _, tc := range []struct {
		set  []any
		want string
	}{
		{[]any{"config", "set", "appendonly", "yes"}, ""},
		{[]any{"config", "set", "maxmemory-policy", "allkeys-lru"}, "evicts"},
		{[]any{"config", "set", "appendonly", "no"}, "evicts not_persistent"},
		{[]any{"config", "set", "save", "3600 1"}, "evicts snapshots_only"},
		{[]any{"config", "set", "maxmemory-policy", "noeviction"}, "snapshots_only"},
		{[]any{"acl", "setuser", "default", "-config"}, "snapshots_only"},
	} {
		mustDo(t, client, tc.set...)
		warnings, err := s.Warnings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var codes []string
		for _, w := range warnings {
			codes = append(codes, w.Code)
		}
		if got := strings.Join(codes, " "); got != tc.want {
			t.Errorf("after %v: %q, want %q", tc.set, got, tc.want)
		}
	}
}
