package redisstore

import (
	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// Abreast is how many pipelines are on their way at a time.
const Abreast = abreast

// AddHook lets a test see and break what the store sends.
func AddHook(s *Store, h redis.Hook) { s.client.AddHook(h) }

// UserKey is what all keys of a user start with.
func UserKey(u store.User) string { return string(keyOf(u)) }

// Waiting is how many fences wait while others are on their way.
func Waiting(s *Store) int {
	s.fences.mu.Lock()
	defer s.fences.mu.Unlock()
	n := 0
	for _, b := range s.fences.batchers {
		n += b.Waiting()
	}
	return n
}
