package redisstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/redisstore"
	"github.com/logoutd/logoutd/store/redisstore/redistest"
	"github.com/logoutd/logoutd/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	storetest.Run(t, backend(server.URL(), server.Client()))
}

func TestConformanceOfCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	storetest.Run(t, backend(cluster.URL(), cluster.Client()))
}

// backend is what the suite runs on. The raw client looks behind the store.
func backend(url string, raw redis.UniversalClient) storetest.Backend {
	return storetest.Backend{
		Open: func(t *testing.T, o storetest.Options) store.Store {
			return open(t, url, redisstore.Config{Retention: o.Retention})
		},
		Down: func(t *testing.T) store.Store {
			server := redistest.Start(t)
			server.Stop()
			return open(t, server.URL(), redisstore.Config{})
		},
		Breakable: func(t *testing.T) (store.Store, func(int)) {
			s := open(t, url, redisstore.Config{})
			b := &breaker{}
			b.breakAfter(-1)
			redisstore.AddHook(s, b)
			return s, b.breakAfter
		},
		IndexEntries: func(t *testing.T, _ store.Store, u store.User) []string {
			return indexEntries(t, raw, u)
		},
		Damage: func(t *testing.T, _ store.Store, sessionID string) {
			key := "logoutd:session:{" + sessionID + "}"
			raw.Del(t.Context(), key)
			if err := raw.Set(t.Context(), key, "not a hash", 0).Err(); err != nil {
				t.Fatal(err)
			}
		},
		Age: func(t *testing.T, _ store.Store, session store.Session, by time.Duration) {
			ctx, key := t.Context(), "logoutd:session:{"+session.ID+"}"
			left, err := raw.PTTL(ctx, key).Result()
			if err != nil {
				t.Fatal(err)
			}
			for _, field := range []string{"auth", "exp"} {
				if err := raw.HIncrBy(ctx, key, field, -by.Milliseconds()).Err(); err != nil {
					t.Fatal(err)
				}
			}
			if err := raw.PExpire(ctx, key, left-by).Err(); err != nil {
				t.Fatal(err)
			}
		},
		SetTime: func(t *testing.T, _ store.Store, of any, at time.Time) {
			key, field := "", "auth"
			switch of := of.(type) {
			case store.Session:
				key = "logoutd:session:{" + of.ID + "}"
			case store.RefreshToken:
				key = "logoutd:refresh:{" + of.ID + "}"
			case store.PushRegistration:
				key, field = redisstore.UserKey(of.User)+":push:"+of.ID, "registered"
			}
			if err := raw.HSet(t.Context(), key, field, at.UnixMilli()).Err(); err != nil {
				t.Fatal(err)
			}
		},
	}
}

func open(t testing.TB, url string, config redisstore.Config) *redisstore.Store {
	t.Helper()
	s, err := redisstore.Open(url, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// indexEntries lists the members of a user's indexes, cutoffs apart.
func indexEntries(t *testing.T, raw redis.UniversalClient, u store.User) []string {
	ctx, user := context.Background(), redisstore.UserKey(u)
	var entries []string
	for _, index := range []string{user + ":sessions", user + ":refresh"} {
		members, err := raw.ZRange(ctx, index, 0, -1).Result()
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, members...)
	}
	members, err := raw.SMembers(ctx, user+":push").Result()
	if err != nil {
		t.Fatal(err)
	}
	return append(entries, members...)
}
