package redisstore

import (
	"context"
	"fmt"

	"github.com/logoutd/logoutd/store"
)

// PutRefreshTokens registers refresh tokens; see [store.Store].
func (s *Store) PutRefreshTokens(ctx context.Context, tokens []store.RefreshToken) ([]store.PutResult, error) {
	puts := make([]*registration, len(tokens))
	for i, token := range tokens {
		puts[i] = ofRefreshToken(token)
	}
	results, err := register(ctx, s, puts, s.findOwn, s.findPredecessor, s.bind, s.admit, s.write, s.review, s.withdraw)
	if err != nil {
		return nil, fmt.Errorf("registering refresh tokens: %w", err)
	}
	return results, nil
}

func ofRefreshToken(token store.RefreshToken) *registration {
	return &registration{
		id: token.ID, key: refreshKey(token.ID), index: keyOf(token.User).refresh(), user: token.User,
		sessionID: token.SessionID, rotatedFrom: token.RotatedFrom, direct: token.SessionID != "",
		authenticatedAt: millis(token.AuthenticatedAt), expiresAt: millis(token.ExpiresAt),
		app: token.AppID,
	}
}

// findPredecessor inherits from the token that a new one replaces.
func (s *Store) findPredecessor(_ context.Context, p *pipe, r *registration) func() error {
	if r.known || r.rotatedFrom == "" {
		return nil
	}
	predecessor := look(p, refreshKey(r.rotatedFrom))
	return func() error {
		rec, err := predecessor()
		switch {
		case err != nil:
			return err
		case !rec.found:
			return store.ErrUnknownParent
		case rec.user != r.user:
			return store.ErrOtherUser
		case rec.endedAt() > 0:
			return revoked(rec.endedAt())
		}
		r.device, r.authenticatedAt, r.inherited = rec.device, rec.authenticatedAt, true
		if !r.direct {
			r.sessionID = rec.sessionID
		}
		return nil
	}
}

// bind enters the token at its session, in one step with the check that this
// has not ended, and inherits from it.
func (s *Store) bind(_ context.Context, p *pipe, r *registration) func() error {
	if r.sessionID == "" {
		return nil
	}
	direct := ""
	if r.direct {
		direct = "1"
	}
	result := p.each(bindScript,
		[]string{sessionKey(r.sessionID), boundKey(r.sessionID)},
		r.id, r.expiresAt, s.retention, r.user.TenantID, r.user.ID, direct)
	return func() error {
		v, err := result.reply()
		if err != nil {
			return err
		}
		switch v.text(0) {
		case "unknown":
			return store.ErrUnknownParent
		case "other":
			return store.ErrOtherUser
		case "revoked":
			return revoked(v.number(1))
		}
		if !r.known {
			r.authenticatedAt, r.device, r.inherited = v.number(1), v.text(2), true
		}
		return nil
	}
}

// RefreshTokens looks refresh tokens up; see [store.Store]. One whose record,
// session or cutoffs cannot be read is logged, and is neither known nor active.
func (s *Store) RefreshTokens(ctx context.Context, ids []string) ([]store.RefreshTokenState, error) {
	checks, err := s.check(ctx, ids, refreshKey)
	if err != nil {
		return nil, fmt.Errorf("looking up refresh tokens: %w", err)
	}
	states := make([]store.RefreshTokenState, len(ids))
	for i, c := range checks {
		if c.err != nil {
			s.log.ErrorContext(ctx, "refresh token unreadable", "err", c.err)
			continue
		}
		states[i] = store.RefreshTokenState{
			RefreshToken: c.record.refreshToken(c.id),
			Known:        c.record.found,
			Active:       c.active() && c.bindingHolds(),
		}
	}
	return states, nil
}

// bindingHolds reports whether the session that a token is bound to, if any,
// has not been revoked. It may have expired. Its record outlives the token,
// so where there is none someone has removed it: not active, to be safe.
func (c *check) bindingHolds() bool {
	return c.record.sessionID == "" || c.parent.found && c.parent.revokedAt == 0
}
