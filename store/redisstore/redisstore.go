package redisstore

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// Config is what a [Store] depends on besides its Redis.
type Config struct {
	// Retention is how long a tombstone is kept after the latest expiry of
	// the session and of everything bound to it. All processes that share a
	// Redis must agree on it. Zero: [store.DefaultRetention].
	Retention time.Duration
	// Logger takes what is found wrong in single records while sessions and
	// tokens are checked, and what go-redis tells of its connections (at
	// debug level; go-redis has one logger for the whole process). Nil: both
	// are dropped.
	Logger *slog.Logger
	// TestClock lets a test set the clock: the time is the value of the key
	// [TestClockKey], in milliseconds, instead of the server's TIME. On a
	// single server only.
	TestClock bool
}

// TestClockKey is the key that holds the time for [Config.TestClock].
const TestClockKey = "logoutd:test:clock"

func (c Config) retention() time.Duration {
	if c.Retention == 0 {
		return store.DefaultRetention
	}
	return c.Retention
}

func (c Config) logger() *slog.Logger {
	if c.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Logger
}

// Store is a [store.Store] in Redis or a Redis Cluster.
type Store struct {
	client    redis.UniversalClient
	log       *slog.Logger
	retention int64 // milliseconds
	fences    *fenceBatches
	memory    *memory
	testClock bool
}

// cutoffRetention is [store.CutoffRetention] in milliseconds.
var cutoffRetention = store.CutoffRetention.Milliseconds()

var _ store.Store = (*Store)(nil)

// Open returns a store in the Redis that the URL names; the package comment
// lists the forms. It connects when it is first used, so it fails only on a
// URL that makes no sense; [Store.Ping] tells whether Redis can be used.
func Open(url string, config Config) (*Store, error) {
	options, err := parseURL(url)
	if err != nil {
		return nil, fmt.Errorf("parsing the Redis URL: %w", err)
	}
	redis.SetLogger(clientLog{config.logger()})
	s := &Store{
		client:    redis.NewUniversalClient(options),
		log:       config.logger(),
		retention: config.retention().Milliseconds(),
		memory:    newMemory(),
		testClock: config.TestClock,
	}
	s.fences = newFenceBatches(s)
	return s, nil
}

func (s *Store) isCluster() bool {
	_, ok := s.client.(*redis.ClusterClient)
	return ok
}

// Close closes the connections, after the fences on their way.
func (s *Store) Close() error {
	s.fences.close()
	if err := s.client.Close(); err != nil {
		return fmt.Errorf("closing the Redis client: %w", err)
	}
	return nil
}

// clientLog takes what go-redis has to say.
type clientLog struct{ log *slog.Logger }

func (l clientLog) Printf(ctx context.Context, format string, args ...any) {
	l.log.DebugContext(ctx, "redis client", "message", fmt.Sprintf(format, args...))
}
