package redisstore

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// indexPattern matches the indexes of users, and their push registrations.
const indexPattern = "logoutd:user:{*}:[srp]*"

// parseIndex tells of a key which user's index it is, and what that lists;
// false: it is none.
func parseIndex(key string) (u store.User, lists listing, ok bool) {
	rest, ok := strings.CutPrefix(key, "logoutd:user:{")
	if !ok {
		return u, 0, false
	}
	name, what, _ := strings.Cut(rest, "}")
	switch what {
	case ":sessions":
		lists = sessions
	case ":refresh":
		lists = refreshTokens
	case ":push":
		lists = pushRegistrations
	default:
		return u, 0, false
	}
	tenant, id, _ := strings.Cut(name, ".")
	tenantID, err := base64.RawURLEncoding.DecodeString(tenant)
	userID, err2 := base64.RawURLEncoding.DecodeString(id)
	return store.User{TenantID: string(tenantID), ID: string(userID)}, lists, err == nil && err2 == nil
}

// list is an index of a user, or a part of it.
type list struct {
	itemError
	*openIndex
	user  store.User
	lists listing
	size  int64
	ids   []string
}

// readOn reads about limit members of the open indexes, and closes those that
// are at their end. No index takes part with more than a page at a time.
func (s *Store) readOn(ctx context.Context, w *walk, limit int) ([]*list, error) {
	all := make([]*list, len(w.Open))
	for i := range w.Open {
		user, lists, _ := parseIndex(w.Open[i].Key)
		all[i] = &list{openIndex: &w.Open[i], user: user, lists: lists}
	}
	if err := run(ctx, s, all, measure); err != nil {
		return nil, err
	}
	n := fitting(all, int64(limit))
	if err := run(ctx, s, all[:n], readIndex); err != nil {
		return nil, err
	}
	var open []openIndex
	for i, l := range all {
		if l.err != nil {
			s.log.ErrorContext(ctx, "index unreadable", "user_id", l.user.ID, "err", l.err)
		} else if i >= n || l.Cursor != 0 {
			open = append(open, *l.openIndex)
		}
	}
	w.Open = open
	return all[:n], nil
}

// fitting is how many of the lists, one at least, together have not much more
// than limit members in their next pages.
func fitting(all []*list, limit int64) int {
	var members int64
	for i, l := range all {
		if members += min(l.size, pageSize); members > limit && i > 0 {
			return i
		}
	}
	return len(all)
}

func measure(ctx context.Context, p *pipe, l *list) func() error {
	count := p.ZCard
	if l.lists == pushRegistrations {
		count = p.SCard
	}
	cmd := count(ctx, l.Key)
	return func() (err error) {
		l.size, err = cmd.Result()
		return err
	}
}

// readIndex reads the next page of an index.
func readIndex(ctx context.Context, p *pipe, l *list) func() error {
	var cmd *redis.ScanCmd
	step := 2 // a sorted set's members come with their scores
	if l.lists == pushRegistrations {
		cmd, step = p.SScan(ctx, l.Key, l.Cursor, "", pageSize), 1
	} else {
		cmd = p.ZScan(ctx, l.Key, l.Cursor, "", pageSize)
	}
	return func() (err error) {
		var members []string
		members, l.Cursor, err = cmd.Result()
		for i := 0; i < len(members); i += step {
			l.ids = append(l.ids, members[i])
		}
		return err
	}
}
