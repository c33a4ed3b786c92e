package redistest

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// slots is how many hash slots a Redis Cluster has.
const slots = 16384

// Cluster is a Redis Cluster of three masters without replicas.
type Cluster struct {
	Nodes []*Server
}

// StartCluster starts a cluster and waits until all of it is usable.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{}
	for range 3 {
		s := newServer(t)
		s.busPort = freePort(t)
		s.Restart()
		c.Nodes = append(c.Nodes, s)
	}
	for i, s := range c.Nodes {
		c.join(t, s.Client(), i)
	}
	for _, s := range c.Nodes {
		client := s.Client()
		if !eventually(func() bool { return c.formed(client) }) {
			t.Fatal("the Redis Cluster does not form")
		}
	}
	return c
}

// join gives a node its share of the slots and introduces it to the first.
func (c *Cluster) join(t testing.TB, client *redis.Client, i int) {
	t.Helper()
	ctx, n, first := context.Background(), len(c.Nodes), c.Nodes[0]
	commands := [][]any{
		{"cluster", "set-config-epoch", i + 1},
		{"cluster", "addslotsrange", i * slots / n, (i+1)*slots/n - 1},
	}
	if i > 0 {
		commands = append(commands, []any{"cluster", "meet", "127.0.0.1", first.port, first.busPort})
	}
	for _, command := range commands {
		if err := client.Do(ctx, command...).Err(); err != nil {
			t.Fatalf("cluster set-up: %v", err)
		}
	}
}

// formed reports whether a node sees every slot served and every node.
func (c *Cluster) formed(client *redis.Client) bool {
	info := client.ClusterInfo(context.Background()).Val()
	return strings.Contains(info, "cluster_state:ok") &&
		strings.Contains(info, "cluster_size:"+strconv.Itoa(len(c.Nodes)))
}

// URL is the cluster as logoutd's settings name it.
func (c *Cluster) URL() string {
	url := "redis+cluster://" + c.Nodes[0].Addr() + "?"
	for _, s := range c.Nodes[1:] {
		url += "addr=" + s.Addr() + "&"
	}
	return strings.TrimRight(url, "&?")
}

// Client returns a client of the cluster, which is closed when the test of
// its first node ends.
func (c *Cluster) Client() *redis.ClusterClient {
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{c.Nodes[0].Addr()}})
	c.Nodes[0].t.Cleanup(func() { _ = client.Close() })
	return client
}

// Stop kills all nodes.
func (c *Cluster) Stop() {
	for _, s := range c.Nodes {
		s.Stop()
	}
}

// Restart restarts all nodes and waits until all of the cluster is usable.
func (c *Cluster) Restart() {
	for _, s := range c.Nodes {
		s.t.Helper()
		s.Restart()
	}
	for _, s := range c.Nodes {
		client := s.Client()
		if !eventually(func() bool { return c.formed(client) }) {
			s.t.Fatal("the Redis Cluster does not form again")
		}
	}
}
