package redisstore

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// pageSize is about how many members of an index are read at a time, and marked
// together: other callers of Redis wait for that, a millisecond or two. Each
// page costs a round trip and a sync.
const pageSize = 96

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

// part is some of the members of an index of a request.
type part struct {
	*revocation
	lists   listing
	ids     []string
	deleted map[string]reply // push registrations by key: time, provider, token
	upTo    int64            // covers what is from up to then, where that is after the cutoff
}

func (p *part) weight() int { return len(p.ids) }

// recordKeys are the keys of what the members name.
func (p *part) recordKeys() []string {
	keys := make([]string, len(p.ids))
	for i, id := range p.ids {
		switch p.lists {
		case sessions:
			keys[i] = sessionKey(id)
		case refreshTokens:
			keys[i] = refreshKey(id)
		case pushRegistrations:
			keys[i] = p.user.registration(id)
		}
	}
	return keys
}

func newSweep(r *revocation, lists listing) *sweep {
	return &sweep{revocation: r, lists: lists, index: r.index(lists)}
}

// index is the key of the index that lists what the request may cover.
func (r *revocation) index(lists listing) string {
	switch {
	case lists == pushRegistrations:
		return r.user.push()
	case lists == sessions:
		return r.user.sessions()
	case r.Scope == store.ScopeSession:
		return boundKey(r.SessionID)
	default:
		return r.user.refresh()
	}
}

// begun is the sweep after a script has read the index, if its members are few.
func (sw *sweep) begun(v reply, i int) *sweep {
	if members, few := v.list(i); few {
		for i := range members {
			sw.page = append(sw.page, members.text(i))
		}
		sw.done = true
	}
	return sw
}

// found takes in the next page.
func (sw *sweep) found(members []string, cursor uint64) {
	step := 2 // a sorted set's members come with their scores
	if sw.lists == pushRegistrations {
		step = 1
	}
	sw.cursor, sw.done, sw.page = cursor, cursor == 0, nil
	for i := 0; i < len(members); i += step {
		if id := members[i]; !sw.seen[id] {
			sw.seen[id] = true
			sw.page = append(sw.page, id)
		}
	}
}

// sweep goes through the indexes side by side, a page of each at a time, and
// shows visit what it finds. So a user with very many sessions holds back the
// others of the batch by one page. The next page is read in the round trip in
// which the one before is visited; after is called behind each.
func (s *Store) sweep(ctx context.Context, sweeps []*sweep, visit stage[*part], after func() error) error {
	for len(sweeps) > 0 {
		var steps []item
		var unfinished []*sweep
		for _, sw := range sweeps {
			for ids := range slices.Chunk(sw.page, s.partSize()) {
				steps = append(steps, &part{revocation: sw.revocation, lists: sw.lists, ids: ids})
			}
			if sw.err == nil && !sw.done {
				unfinished = append(unfinished, sw)
			}
		}
		for _, sw := range unfinished {
			steps = append(steps, sw)
		}
		err := run(ctx, s, steps, func(ctx context.Context, p *pipe, it item) func() error {
			if sw, ok := it.(*sweep); ok {
				return scan(ctx, p, sw)
			}
			return visit(ctx, p, it.(*part))
		})
		if err == nil {
			err = after()
		}
		if err != nil {
			return err
		}
		sweeps = unfinished
	}
	return nil
}

// partSize is how many records a part names at most. On a cluster each lies in
// a slot of its own.
func (s *Store) partSize() int {
	if s.isCluster() {
		return 1
	}
	return callKeys / 2
}

// scan reads the next page of an index.
func scan(ctx context.Context, p *pipe, sw *sweep) func() error {
	if sw.seen == nil {
		sw.seen = map[string]bool{}
	}
	var cmd *redis.ScanCmd
	if sw.lists == pushRegistrations {
		cmd = p.SScan(ctx, sw.index, sw.cursor, "", pageSize)
	} else {
		cmd = p.ZScan(ctx, sw.index, sw.cursor, "", pageSize)
	}
	return func() error {
		members, cursor, err := cmd.Result()
		sw.found(members, cursor)
		return err
	}
}
