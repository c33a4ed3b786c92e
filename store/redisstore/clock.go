package redisstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Now returns the clock of Redis, of a cluster the earliest of its masters';
// see [store.Store].
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	at, err := s.now(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the clock: %w", s.unavailable(err))
	}
	return at.UTC().Truncate(time.Millisecond), nil
}

func (s *Store) now(ctx context.Context) (earliest time.Time, err error) {
	if s.testClock {
		ms, err := s.client.Get(ctx, TestClockKey).Int64()
		return fromMillis(ms), err
	}
	cluster, ok := s.client.(*redis.ClusterClient)
	if !ok {
		return s.client.Time(ctx).Result()
	}
	var mu sync.Mutex
	err = cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
		at, err := master.Time(ctx).Result()
		mu.Lock()
		defer mu.Unlock()
		if earliest.IsZero() || at.Before(earliest) {
			earliest = at
		}
		return err
	})
	return earliest, err
}

// What is registered without a time, or with one ahead of the server's clock,
// gets the next millisecond, and the call returns when that has come. So a login after a logout, even in the
// same millisecond, is later than its cutoff; and a login before
// one is not.

// moment is when an item took the next millisecond as its time; zero for one
// that brought its own.
type moment struct{ time.Time }

// take notes that the time was taken no later than now.
func (m *moment) take() { m.Time = time.Now() }

// awaitAll waits until the milliseconds that the items took have come.
func awaitAll[I any](items []I, taken func(I) moment) {
	var last time.Time
	for _, it := range items {
		if m := taken(it); m.After(last) {
			last = m.Time
		}
	}
	if !last.IsZero() {
		time.Sleep(time.Until(last.Add(time.Millisecond)))
	}
}
