package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// Ping implements [store.Store]. It writes to Redis, to each master of a
// cluster, and removes what it has written: a server that answers a PING can
// refuse every write.
func (s *Store) Ping(ctx context.Context) error {
	var err error
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		err = pingCluster(ctx, cluster)
	} else {
		err = s.pingSingle(ctx)
	}
	if err == nil {
		return nil
	}
	if refused := refusalOf(err); refused != nil {
		return refused
	}
	return s.unavailable(err)
}

// pingSingle also asks whether the server is part of a cluster, where most
// keys could not be reached.
func (s *Store) pingSingle(ctx context.Context) error {
	p := s.client.Pipeline()
	ping, hello := p.Ping(ctx), p.Do(ctx, "hello")
	if _, err := send(ctx, p); err != nil {
		return err
	}
	if ping.Err() != nil {
		return ping.Err()
	}
	properties, _ := hello.Result() // a server too old for HELLO is no cluster of ours
	if m, ok := properties.(map[any]any); ok && m["mode"] == "cluster" {
		return errIsCluster
	}
	return probe(ctx, s.client, probeKey(0))
}

// pingCluster tries each master on a key of its own slots.
func pingCluster(ctx context.Context, cluster *redis.ClusterClient) error {
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
		return master.Ping(ctx).Err()
	})
	if err != nil {
		return err
	}
	tried := map[string]bool{}
	for n := range probeKeys {
		master, err := cluster.MasterForKey(ctx, probeKey(n))
		if err != nil {
			return err
		}
		if address := master.Options().Addr; !tried[address] {
			tried[address] = true
			if err := probe(ctx, cluster, probeKey(n)); err != nil {
				return err
			}
		}
	}
	return nil
}

// probeKeys is how many keys are looked at for one on each master of a
// cluster: with 20 masters all but one in 10^10 times there is one.
const probeKeys = 500

func probeKey(n int) string { return fmt.Sprintf("logoutd:probe:{%d}", n) }

// probe writes to a key and removes it.
func probe(ctx context.Context, client redis.UniversalClient, key string) error {
	p := client.Pipeline()
	cmd := p.EvalSha(ctx, probeScript, []string{key})
	cmds, err := send(ctx, p)
	if err == nil {
		err = resendUnloaded(ctx, client, cmds)
	}
	if err != nil {
		return err
	}
	return cmd.Err()
}

// refusalReasons say in words why Redis refuses to write.
var refusalReasons = map[string]string{
	"BUSY":        "a script of another client blocks it",
	"CLUSTERDOWN": "the cluster does not serve all slots",
	"LOADING":     "it is still loading its data",
	"MASTERDOWN":  "it is a replica without a master",
	"MISCONF":     "it cannot save its data to disk; its log says why",
	"NOAUTH":      "it wants a password",
	"NOPERM":      "its ACL does not permit this user the commands or keys that logoutd uses",
	"NOREPLICAS":  "fewer replicas are connected than min-replicas-to-write",
	"OOM":         "its memory is full (maxmemory)",
	"READONLY":    "it is a read-only replica",
	"WRONGPASS":   "it refuses the user or password",
}

// refusalOf returns the refusal that Redis answered with; nil: it did not
// answer, or has no code for it.
func refusalOf(err error) *store.RefusedError {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return nil
	}
	text := textOf(reply)
	code, _, _ := strings.Cut(text, " ")
	if strings.HasPrefix(text, notPermitted) {
		code = "NOPERM"
	}
	reason := refusalReasons[code]
	if reason == "" {
		return nil
	}
	return &store.RefusedError{Code: code, Reason: reason}
}
