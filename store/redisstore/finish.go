package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// Finish records that requests were told and prunes what bears their marks;
// see [store.Store].
func (s *Store) Finish(ctx context.Context, asked []store.Revocation) ([]error, error) {
	revocations := revocationsOf(asked)
	if err := s.finish(ctx, revocations); err != nil {
		return nil, fmt.Errorf("finishing: %w", err)
	}
	errs := make([]error, len(revocations))
	for i, r := range revocations {
		errs[i] = r.err
	}
	return errs, nil
}

func (s *Store) finish(ctx context.Context, revocations []*revocation) error {
	if err := run(ctx, s, revocations, s.findTombstone, s.writeDone); err != nil {
		return err
	}
	var presented []*member
	var sweeps []*sweep
	for _, r := range revocations {
		if r.err != nil {
			continue
		}
		if r.SessionID != "" {
			presented = append(presented, &member{sweep: &sweep{revocation: r, lists: sessions}, id: r.SessionID})
		}
		sweeps = append(sweeps, sweepsOf(r)...)
	}
	if err := run(ctx, s, presented, findMark, prune); err != nil {
		return err
	}
	return s.sweep(ctx, sweeps, findMark, prune)
}

// findTombstone looks up how long the session presented will be remembered:
// as long, a repeated logout has the same request id.
func (s *Store) findTombstone(ctx context.Context, p redis.Pipeliner, r *revocation) func() error {
	cmd := p.PTTL(ctx, sessionKey(r.SessionID))
	return func() error {
		r.remembered = max(cmd.Val(), time.Duration(s.retention)*time.Millisecond)
		return cmd.Err()
	}
}

func (s *Store) writeDone(ctx context.Context, p redis.Pipeliner, r *revocation) func() error {
	return p.Set(ctx, requestKey(r.RequestID), "done", r.remembered).Err
}

// findMark finds out whether a member bears the mark of the request. A push
// registration's own script asks.
func findMark(ctx context.Context, p redis.Pipeliner, m *member) func() error {
	var key string
	switch m.lists {
	case sessions:
		key = sessionKey(m.id)
	case refreshTokens:
		key = refreshKey(m.id)
	case pushRegistrations:
		return nil
	}
	cmd := p.HGet(ctx, key, "mark")
	return func() error {
		m.marked = cmd.Val() == m.RequestID
		if errors.Is(cmd.Err(), redis.Nil) {
			return nil
		}
		return cmd.Err()
	}
}

// prune takes what bears the mark out of the user's index. Nothing brings a
// marked record back, so it cannot be needed there again.
func prune(ctx context.Context, p redis.Pipeliner, m *member) func() error {
	switch {
	case m.lists == pushRegistrations:
		keys := []string{m.user.registration(m.id), m.user.push()}
		return p.EvalSha(ctx, pushDeleteScript, keys, m.RequestID, m.id).Err
	case m.marked && m.lists == sessions:
		return p.ZRem(ctx, m.user.sessions(), m.id).Err
	case m.marked:
		return p.ZRem(ctx, m.user.refresh(), m.id).Err
	}
	return nil
}
