package redisstore

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// holding is what an index of a user lists: live, or over.
type holding struct {
	check
	user         store.User
	lists        listing
	registeredAt int64 // of a push registration that is live
}

// holding looks up what the lists name, and returns what is live by user, where
// the clock shows at. One that cannot be read is logged.
func (s *Store) holding(ctx context.Context, all []*list, at time.Time) ([]store.Holder, error) {
	var holdings []*holding
	for _, l := range all {
		for _, id := range l.ids {
			holdings = append(holdings, newHolding(l.user, l.lists, id))
		}
	}
	if err := run(ctx, s, holdings, findHolding, findHoldingEnds); err != nil {
		return nil, err
	}
	var holders []store.Holder
	places := map[store.User]int{}
	for _, h := range holdings {
		if h.err != nil {
			s.log.ErrorContext(ctx, "record unreadable", "user_id", h.user.ID, "err", h.err)
		}
		if h.err != nil || !h.live() {
			continue
		}
		place, known := places[h.user]
		if !known {
			place, places[h.user] = len(holders), len(holders)
			holders = append(holders, store.Holder{User: h.user})
		}
		h.addTo(&holders[place], at)
	}
	return holders, nil
}

func newHolding(u store.User, lists listing, id string) *holding {
	key := refreshKey(id)
	switch lists {
	case sessions:
		key = sessionKey(id)
	case pushRegistrations:
		key = keyOf(u).registration(id)
	}
	return &holding{check: check{id: id, key: key}, user: u, lists: lists}
}

func findHolding(ctx context.Context, p *pipe, h *holding) func() error {
	if h.lists != pushRegistrations {
		return findRecord(ctx, p, &h.check)
	}
	registered, mark := p.HGet(ctx, h.key, "registered"), p.HGet(ctx, h.key, "mark")
	return func() error {
		at, err := registered.Int64()
		if errors.Is(err, redis.Nil) {
			return nil
		}
		if mark.Val() == "" {
			h.registeredAt = at
		}
		return err
	}
}

func findHoldingEnds(ctx context.Context, p *pipe, h *holding) func() error {
	return findEnds(ctx, p, &h.check)
}

// live reports whether the user holds it. A push registration that bears no
// mark is live; it has no expiry.
func (h *holding) live() bool {
	if h.lists == pushRegistrations {
		return h.registeredAt != 0
	}
	return h.record.user == h.user && h.active() && h.bindingHolds()
}

func (h *holding) addTo(holder *store.Holder, at time.Time) {
	since := store.Since(fromMillis(max(h.registeredAt, h.record.authenticatedAt)), at)
	if holder.Since.IsZero() || since.Before(holder.Since) {
		holder.Since = since
	}
	if h.lists == sessions {
		holder.Sessions = append(holder.Sessions, h.record.session(h.id))
	}
}
