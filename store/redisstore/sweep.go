package redisstore

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// listing is what an index lists.
type listing int

const (
	sessions listing = iota
	refreshTokens
	pushRegistrations
)

// sweep goes through one index of a request.
type sweep struct {
	*revocation
	lists  listing
	index  string
	cursor uint64
	done   bool
	seen   map[string]bool // SCAN may return a member twice
	page   []string        // what the last step found
}

// member is one member of an index.
type member struct {
	*sweep
	id     string
	marked bool // by the request; found by Finish
}

// sweepsOf are the indexes that list what a request may cover.
func sweepsOf(r *revocation) []*sweep {
	push := &sweep{revocation: r, lists: pushRegistrations, index: r.user.push(), seen: map[string]bool{}}
	if r.Scope == store.ScopeSession {
		bound := &sweep{revocation: r, lists: refreshTokens, index: boundKey(r.SessionID), seen: map[string]bool{}}
		return []*sweep{bound, push}
	}
	return []*sweep{
		{revocation: r, lists: sessions, index: r.user.sessions(), seen: map[string]bool{}},
		{revocation: r, lists: refreshTokens, index: r.user.refresh(), seen: map[string]bool{}},
		push,
	}
}

// sweep goes through the indexes side by side, a chunk of each at a time, and
// takes what it finds through the stages. So a user with very many sessions
// holds back the others of the batch by one chunk.
func (s *Store) sweep(ctx context.Context, sweeps []*sweep, stages ...stage[*member]) error {
	for len(sweeps) > 0 {
		if err := run(ctx, s, sweeps, scan); err != nil {
			return err
		}
		var members []*member
		var unfinished []*sweep
		for _, sw := range sweeps {
			for _, id := range sw.page {
				members = append(members, &member{sweep: sw, id: id})
			}
			if sw.err == nil && !sw.done {
				unfinished = append(unfinished, sw)
			}
		}
		if err := run(ctx, s, members, stages...); err != nil {
			return err
		}
		sweeps = unfinished
	}
	return nil
}

// scan reads the next chunk of an index.
func scan(ctx context.Context, p redis.Pipeliner, sw *sweep) func() error {
	var cmd *redis.ScanCmd
	width := 2 // a sorted set's members come with their scores
	if sw.lists == pushRegistrations {
		cmd, width = p.SScan(ctx, sw.index, sw.cursor, "", chunkSize), 1
	} else {
		cmd = p.ZScan(ctx, sw.index, sw.cursor, "", chunkSize)
	}
	return func() error {
		found, cursor, err := cmd.Result()
		sw.cursor, sw.done, sw.page = cursor, cursor == 0, nil
		for i := 0; i < len(found); i += width {
			if id := found[i]; !sw.seen[id] {
				sw.seen[id] = true
				sw.page = append(sw.page, id)
			}
		}
		return err
	}
}
