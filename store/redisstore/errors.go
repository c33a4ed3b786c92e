package redisstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// refusals are the error codes by which Redis refuses work in general; any
// other (WRONGTYPE, ERR from a script) tells of the key that was asked for.
var refusals = []string{
	"ASK", "BUSY", "CLUSTERDOWN", "CROSSSLOT", "LOADING", "MASTERDOWN", "MISCONF", "MOVED", "NOAUTH", "NOPERM",
	"NOREPLICAS", "NOSCRIPT", "OOM", "READONLY", "TRYAGAIN", "UNBLOCKED", "WRONGPASS",
}

// redirections are the error codes of a cluster that is used as one server.
var redirections = []string{"ASK", "CROSSSLOT", "MOVED"}

// refusalTexts are refusals under the general code ERR.
var refusalTexts = []string{
	"ERR max number of clients reached",
	"ERR This instance has cluster support disabled",
	"ERR DB index is out of range",
	notPermitted,
}

// notPermitted is NOPERM as Redis 7.0 and 7.2 say it of a command in a script.
const notPermitted = "ERR The user executing the script can't"

// isUnavailable reports whether err says that Redis cannot be used, rather
// than that one key is not what it should be.
func isUnavailable(err error) bool {
	if err == nil || errors.Is(err, redis.Nil) {
		return false
	}
	var reply redis.Error
	if !errors.As(err, &reply) {
		return true // network, timeout, context, closed client
	}
	text := textOf(reply)
	code, _, _ := strings.Cut(text, " ")
	return slices.Contains(refusals, code) ||
		slices.ContainsFunc(refusalTexts, func(s string) bool { return strings.HasPrefix(text, s) })
}

// textOf returns what Redis answered, without the place in a script.
func textOf(reply redis.Error) string {
	text := reply.Error()
	if _, inScript, found := strings.Cut(text, ": -"); found {
		return inScript // Redis 6: "ERR Error running script (…): @user_script: 9: -READONLY …"
	}
	return text
}

var (
	errIsCluster  = errors.New("the server is part of a Redis Cluster: use redis+cluster:// or rediss+cluster://")
	errNotCluster = errors.New("the server is not part of a Redis Cluster: use redis:// or rediss://")
)

// unavailable wraps err in [store.ErrUnavailable], with a hint where the URL
// names the wrong form of server.
func (s *Store) unavailable(err error) error {
	isCluster := s.isCluster()
	switch {
	case !isCluster && slices.ContainsFunc(redirections, func(code string) bool { return redis.HasErrorPrefix(err, code) }):
		err = errIsCluster
	case isCluster && redis.HasErrorPrefix(err, "This instance has cluster support disabled"):
		err = errNotCluster
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
}

// revoked refuses a registration at a cutoff in milliseconds.
func revoked(cutoff int64) error { return &store.RevokedError{Cutoff: fromMillis(cutoff)} }
