package redisstore

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// A SCAN means something to the process that gave the cursor only, and sees the
// slots only that lie there. So who goes through all keys watches the topology of
// the storage: which processes they lie in, and where.

// master is a process that holds keys.
type master struct {
	redis.Cmdable
	id    string // of the node of a cluster
	state string // differs where anything has moved, or it was restarted
}

// topology is the masters, in the order of their ids.
type topology []master

// errMoving says that there is no telling which keys a node holds.
var errMoving = errors.New("the cluster is being resharded, or slots are not served")

// slots is how many a cluster has.
const slots = 16384

func (s *Store) topology(ctx context.Context) (topology, error) {
	cluster, ok := s.client.(*redis.ClusterClient)
	if !ok {
		run, err := runID(ctx, s.client)
		if err != nil {
			return nil, s.unavailable(err)
		}
		return topology{{Cmdable: s.client, state: run}}, nil
	}
	masters, err := mastersOf(ctx, cluster)
	if err != nil {
		return nil, s.unavailable(err)
	}
	return masters, nil
}

// mastersOf asks each master for what it serves itself: the others may not
// know yet.
func mastersOf(ctx context.Context, cluster *redis.ClusterClient) (topology, error) {
	var mu sync.Mutex
	var masters topology
	served := 0
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		m, n, err := lookAt(ctx, node)
		mu.Lock()
		defer mu.Unlock()
		masters, served = append(masters, m), served+n
		return err
	})
	if err == nil && served != slots {
		err = errMoving
	}
	slices.SortFunc(masters, func(a, b master) int { return strings.Compare(a.id, b.id) })
	return masters, err
}

// lookAt returns a node of a cluster, and how many slots it serves.
func lookAt(ctx context.Context, node *redis.Client) (m master, served int, err error) {
	run, err := runID(ctx, node)
	if err != nil {
		return m, 0, err
	}
	nodes, err := node.ClusterNodes(ctx).Result()
	if err != nil {
		return m, 0, err
	}
	// <id> <address> <flags> <master> <ping> <pong> <epoch> <link> <slot> ...
	for line := range strings.Lines(nodes) {
		words := strings.Fields(line)
		if len(words) < 8 || !strings.Contains(words[2], "myself") {
			continue
		}
		m = master{Cmdable: node, id: words[0], state: strings.Join(append(words[6:7:7], words[8:]...), " ") + " " + run}
		served, err = countSlots(words[8:])
	}
	return m, served, err
}

// countSlots counts slots and ranges of them. One in brackets is moving.
func countSlots(ranges []string) (n int, err error) {
	for _, r := range ranges {
		first, last, isRange := strings.Cut(r, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err != nil || err2 != nil {
			return 0, errMoving
		}
		n += to - from + 1
	}
	return n, nil
}

// runID names the process: cursors end with it.
func runID(ctx context.Context, node redis.Cmdable) (string, error) {
	info, err := node.Info(ctx, "server").Result()
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(info) {
		if id, ok := strings.CutPrefix(line, "run_id:"); ok {
			return strings.TrimSpace(id), nil
		}
	}
	return "", fmt.Errorf("the server does not tell its run_id")
}

// name differs where anything else does.
func (sh topology) name() string {
	all := sha256.New()
	for _, m := range sh {
		fmt.Fprintln(all, m.id, m.state)
	}
	return base64.RawURLEncoding.EncodeToString(all.Sum(nil))
}

// from returns the first master whose id is not before id; false: there is
// none.
func (sh topology) from(id string) (master, bool) {
	i := slices.IndexFunc(sh, func(m master) bool { return m.id >= id })
	if i < 0 {
		return master{}, false
	}
	return sh[i], true
}
