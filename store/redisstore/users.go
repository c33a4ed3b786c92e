package redisstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// userLook is the look-up of what a user holds.
type userLook struct {
	itemError
	state store.UserState
	lists [pushRegistrations + 1]*list
}

// Users looks users up; see [store.Store]. Of each kind it takes what expires
// last.
func (s *Store) Users(ctx context.Context, users []store.User) ([]store.UserState, error) {
	states, err := s.users(ctx, users)
	if err != nil {
		return nil, fmt.Errorf("looking up users: %w", err)
	}
	return states, nil
}

func (s *Store) users(ctx context.Context, users []store.User) ([]store.UserState, error) {
	looks := make([]*userLook, len(users))
	for i, u := range users {
		looks[i] = &userLook{state: store.UserState{Holder: store.Holder{User: u}}}
	}
	if err := run(ctx, s, looks, findUser); err != nil {
		return nil, err
	}
	held, err := s.heldBy(ctx, looks)
	if err != nil {
		return nil, err
	}
	states := make([]store.UserState, len(users))
	for i, l := range looks {
		states[i] = l.state
		states[i].Err = l.err
		if h, any := held[l.state.User]; any {
			states[i].Holder = h
		}
	}
	return states, nil
}

// heldBy returns what is live, by user. A user may be asked for twice.
func (s *Store) heldBy(ctx context.Context, looks []*userLook) (map[store.User]store.Holder, error) {
	lists := map[store.User][]*list{}
	var at time.Time
	for _, l := range looks {
		if l.err == nil {
			lists[l.state.User], at = l.lists[:], l.state.At
		}
	}
	holders, err := s.holding(ctx, slices.Concat(slices.Collect(maps.Values(lists))...), at)
	held := map[store.User]store.Holder{}
	for _, h := range holders {
		held[h.User] = h
	}
	return held, err
}

func findUser(ctx context.Context, p *pipe, l *userLook) func() error {
	user := keyOf(l.state.User)
	now, cutoff := p.Time(ctx), p.Get(ctx, user.cutoff())
	members := [...]*redis.StringSliceCmd{
		sessions:          p.ZRevRange(ctx, user.sessions(), 0, store.MaxUserRecords),
		refreshTokens:     p.ZRevRange(ctx, user.refresh(), 0, store.MaxUserRecords),
		pushRegistrations: p.SRandMemberN(ctx, user.push(), store.MaxUserRecords+1),
	}
	return func() error {
		at, err := cutoff.Int64()
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		l.state.Cutoff, l.state.At = fromMillis(at), fromMillis(now.Val().UnixMilli())
		for lists, cmd := range members {
			ids, err := cmd.Result()
			if err != nil {
				return err
			}
			if len(ids) > store.MaxUserRecords {
				ids, l.state.Partial = ids[:store.MaxUserRecords], true
			}
			l.lists[lists] = &list{user: l.state.User, lists: listing(lists), ids: ids}
		}
		return nil
	}
}
