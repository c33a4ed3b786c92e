package redisstore

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// revocation is a [store.Revocation] and its result.
type revocation struct {
	itemError
	store.Revocation
	user    userKey
	cutoff  int64 // the one that applies, in milliseconds
	revoked store.Revoked

	remembered time.Duration // how long Finish keeps the request as done
}

func revocationsOf(asked []store.Revocation) []*revocation {
	revocations := make([]*revocation, len(asked))
	for i, r := range asked {
		if r.User.ID == "" {
			r.Scope = store.ScopeSession // nobody to log out
		}
		revocations[i] = &revocation{Revocation: r, user: keyOf(r.User)}
	}
	return revocations
}

// Revoke does the store's part of logout requests; see [store.Store].
func (s *Store) Revoke(ctx context.Context, asked []store.Revocation) ([]store.Revoked, error) {
	revocations := revocationsOf(asked)
	ofOneUser := func(r *revocation) []string { return []string{string(r.user)} }
	for _, wave := range waves(revocations, ofOneUser) {
		if err := s.revoke(ctx, wave); err != nil {
			return nil, fmt.Errorf("revoking: %w", err)
		}
	}
	results := make([]store.Revoked, len(revocations))
	for i, r := range revocations {
		results[i] = r.revoked
		results[i].Err = r.err
	}
	return results, nil
}

func (s *Store) revoke(ctx context.Context, wave []*revocation) error {
	if err := run(ctx, s, wave, findDone, s.cut, refence); err != nil {
		return err
	}
	var sweeps []*sweep
	for _, r := range wave {
		if r.err == nil && !r.revoked.Done {
			sweeps = append(sweeps, sweepsOf(r)...)
		}
	}
	return s.sweep(ctx, sweeps, mark)
}

func findDone(ctx context.Context, p redis.Pipeliner, r *revocation) func() error {
	cmd := p.Exists(ctx, requestKey(r.RequestID))
	return func() error {
		r.revoked.Done = cmd.Val() > 0
		return cmd.Err()
	}
}

// cut writes the cutoff.
func (s *Store) cut(ctx context.Context, p redis.Pipeliner, r *revocation) func() error {
	if r.revoked.Done {
		return nil
	}
	keys := []string{
		r.user.cutoff(), r.user.deviceCutoff(r.DeviceID), r.user.pushCutoffs(r.DeviceID),
		r.user.ended(r.SessionID), r.user.sessions(), r.user.refresh(),
	}
	cmd := p.EvalSha(ctx, cutScript, keys, string(r.Scope), millis(r.Cutoff), millis(r.AuthenticatedAt),
		r.DeviceID, r.AppID, s.retention, store.CutoffRetention.Milliseconds())
	return func() (err error) {
		r.cutoff, err = cmd.Int64()
		r.revoked.Cutoff = fromMillis(r.cutoff)
		return err
	}
}

// refence ends the session presented where the front end did not, and lists
// it first in any case.
func refence(ctx context.Context, p redis.Pipeliner, r *revocation) func() error {
	if r.revoked.Done || r.SessionID == "" {
		return nil
	}
	cmd := fenceSession(ctx, p, store.Fence{
		RequestID: r.RequestID, SessionID: r.SessionID, At: fromMillis(r.cutoff),
	})
	return func() error {
		v, err := replyOf(cmd)
		if err != nil {
			return err
		}
		r.tellSession(r.SessionID)
		r.tellExpiry(recordOf(v[2:]).expiresAt)
		return nil
	}
}

func (r *revocation) tellSession(id string) {
	r.revoked.Sessions++
	if len(r.revoked.SessionIDs) < store.MaxSessionIDs {
		r.revoked.SessionIDs = append(r.revoked.SessionIDs, id)
	}
}

func (r *revocation) tellExpiry(ms int64) {
	if at := fromMillis(ms); at.After(r.revoked.LatestExpiry) {
		r.revoked.LatestExpiry = at
	}
}

// mark marks one member of an index, and tells of it if it bears the mark.
func mark(ctx context.Context, p redis.Pipeliner, m *member) func() error {
	if m.lists == pushRegistrations {
		return markRegistration(ctx, p, m)
	}
	if m.lists == sessions && m.id == m.SessionID {
		return nil // told already
	}
	key, name := refreshKey(m.id), m.DeviceID
	if m.lists == sessions {
		key = sessionKey(m.id)
	}
	if m.Scope == store.ScopeSession {
		name = m.SessionID
	}
	cmd := p.EvalSha(ctx, markScript, []string{key},
		m.RequestID, m.cutoff, m.User.TenantID, m.User.ID, string(m.Scope), name)
	return func() error {
		expiry, err := cmd.Int64()
		if err != nil || expiry == 0 {
			return err
		}
		m.tellExpiry(expiry)
		if m.lists == sessions {
			m.tellSession(m.id)
		} else {
			m.revoked.RefreshTokens++
		}
		return nil
	}
}

func markRegistration(ctx context.Context, p redis.Pipeliner, m *member) func() error {
	cmd := p.EvalSha(ctx, pushMarkScript, []string{m.user.registration(m.id)},
		m.RequestID, m.cutoff, string(m.Scope), m.DeviceID, m.AppID, m.SessionID)
	return func() error {
		v, err := replyOf(cmd)
		if err != nil || len(v) == 0 {
			return err
		}
		m.revoked.PushRegistrations = append(m.revoked.PushRegistrations, store.PushRegistration{
			ID: m.id, User: m.User, RegisteredAt: fromMillis(v.number(0)),
			DeviceID: v.text(1), AppID: v.text(2), Provider: v.text(3), PushToken: v.text(4), SessionID: v.text(5),
		})
		return nil
	}
}
