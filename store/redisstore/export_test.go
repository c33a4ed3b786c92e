package redisstore

import (
	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// AddHook lets a test see and break what the store sends.
func AddHook(s *Store, h redis.Hook) { s.client.AddHook(h) }

// UserKey is what all keys of a user start with.
func UserKey(u store.User) string { return string(keyOf(u)) }
