package redisstore

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// Warnings implements [store.Warner].
func (s *Store) Warnings(ctx context.Context) ([]store.Warning, error) {
	var mu sync.Mutex
	var all []store.Warning
	ask := func(ctx context.Context, server *redis.Client) error {
		found, err := warningsOf(ctx, server)
		mu.Lock()
		defer mu.Unlock()
		for _, w := range found {
			if !slices.Contains(all, w) { // said by another master
				all = append(all, w)
			}
		}
		return err
	}
	var err error
	switch client := s.client.(type) {
	case *redis.ClusterClient:
		err = client.ForEachMaster(ctx, ask)
	case *redis.Client:
		err = ask(ctx, client)
	}
	if err != nil {
		return nil, s.unavailable(err)
	}
	slices.SortFunc(all, func(a, b store.Warning) int { return strings.Compare(a.Code, b.Code) })
	return all, nil
}

// warningsOf asks by INFO, which hosted servers permit where they refuse
// CONFIG. Where CONFIG is refused, snapshots are taken to be there.
func warningsOf(ctx context.Context, server *redis.Client) ([]store.Warning, error) {
	info, err := server.Info(ctx, "memory").Result()
	if err != nil {
		return nil, err
	}
	persistence, err := server.Info(ctx, "persistence").Result()
	if err != nil {
		return nil, err
	}
	var found []store.Warning
	if policy := field(info, "maxmemory_policy"); policy != "" && policy != "noeviction" {
		found = append(found, store.Warning{Code: "evicts", Text: "Redis deletes records when its memory is full (maxmemory-policy " +
			policy + "): a revoked session can come back to life. Set maxmemory-policy to noeviction."})
	}
	if field(persistence, "aof_enabled") != "0" {
		return found, nil
	}
	snapshots, err := server.ConfigGet(ctx, "save").Result()
	if err == nil && snapshots["save"] == "" {
		return append(found, store.Warning{Code: "not_persistent", Text: "Redis keeps its data in memory only: a restart forgets sessions, " +
			"cutoffs and what is revoked. Set appendonly to yes."}), nil
	}
	return append(found, store.Warning{Code: "snapshots_only", Text: "Redis saves its data from time to time only (appendonly no): a crash forgets " +
		"what was revoked since. Set appendonly to yes."}), nil
}

// field returns a value of INFO.
func field(info, name string) string {
	_, rest, found := strings.Cut(info, "\r\n"+name+":")
	if !found {
		return ""
	}
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}
