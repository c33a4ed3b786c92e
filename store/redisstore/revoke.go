package redisstore

import (
	"context"
	"fmt"

	"github.com/logoutd/logoutd/store"
)

// revocation is a [store.Revocation] and its result.
type revocation struct {
	itemError
	store.Revocation
	*marks
	user     userKey
	cutoff   int64 // the one that applies, in milliseconds
	sweeps   []*sweep
	unproven []*unproven // found by the last step of the sweeps
	revoked  store.Revoked
}

func revocationsOf(asked []store.Revocation) []*revocation {
	revocations := make([]*revocation, len(asked))
	for i, r := range asked {
		if r.User.ID == "" {
			r.Scope = store.ScopeSession // nobody to log out
		}
		revocations[i] = &revocation{Revocation: r, marks: &marks{}, user: keyOf(r.User)}
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
		results[i] = r.result()
	}
	return results, nil
}

func (s *Store) revoke(ctx context.Context, wave []*revocation) error {
	if err := run(ctx, s, wave, s.cut, present); err != nil {
		return err
	}
	var sweeps []*sweep
	for _, r := range wave {
		if r.err == nil && !r.revoked.Done {
			sweeps = append(sweeps, r.sweeps...)
		}
	}
	if err := s.sweep(ctx, sweeps, mark, func() error { return s.revokeUnproven(ctx, wave) }); err != nil {
		return err
	}
	for _, r := range wave {
		if r.err == nil && !r.revoked.Done {
			s.memory.put(r.RequestID, r.marks)
		}
	}
	return nil
}

func (r *revocation) result() store.Revoked {
	if r.revoked.Done {
		return store.Revoked{Done: true, Err: r.err}
	}
	r.revoked.Err = r.err
	return r.revoked
}

// cut writes the cutoff, begins to read the indexes of the user, and finds out
// whether the request was told. Where it was, that is as harmless as any
// repetition.
func (s *Store) cut(ctx context.Context, p *pipe, r *revocation) func() error {
	told := p.Exists(ctx, requestKey(r.RequestID))
	cut, indexes := s.cutUser, []listing{sessions, refreshTokens, pushRegistrations}
	if r.Scope == store.ScopeSession {
		cut, indexes = s.cutSession, indexes[2:]
	}
	result := cut(p, r)
	return func() error {
		v, err := result.reply()
		if err != nil {
			return err
		}
		r.revoked.Done = told.Val() > 0
		r.cutoff = v.number(0)
		r.revoked.Cutoff = fromMillis(r.cutoff)
		for i, lists := range indexes {
			r.sweeps = append(r.sweeps, newSweep(r, lists).begun(v, i+1))
		}
		return told.Err()
	}
}

func (s *Store) cutUser(p *pipe, r *revocation) *result {
	rising := 1
	if r.Scope == store.ScopeDevice {
		rising = 2
	}
	keys := []string{r.user.cutoff(), r.user.deviceCutoff(r.DeviceID), r.user.ended(r.SessionID),
		r.user.sessions(), r.user.refresh(), r.user.push()}
	return p.each(cutScript, keys, rising, millis(r.Cutoff), millis(r.AuthenticatedAt), cutoffRetention)
}

func (s *Store) cutSession(p *pipe, r *revocation) *result {
	keys := []string{
		r.user.cutoff(), r.user.deviceCutoff(r.DeviceID), r.user.pushCutoffs(r.DeviceID), r.user.ended(r.SessionID),
		r.user.sessions(), r.user.refresh(), r.user.push(),
	}
	return p.each(cutSessionScript, keys, millis(r.Cutoff), millis(r.AuthenticatedAt), r.DeviceID, r.AppID,
		s.retention, cutoffRetention)
}

// present ends the session presented where the front end did not, lists it
// first in any case, and begins to read what is bound to it.
func present(_ context.Context, p *pipe, r *revocation) func() error {
	if r.revoked.Done || r.SessionID == "" {
		return nil
	}
	bound := ""
	if r.Scope == store.ScopeSession {
		bound = "1"
	}
	result := p.each(presentScript, []string{sessionKey(r.SessionID), boundKey(r.SessionID)}, r.RequestID, r.cutoff, bound)
	return func() error {
		v, err := result.reply()
		if err != nil {
			return err
		}
		r.tellSession(r.SessionID)
		r.tellExpiry(v.number(1))
		if v.number(0) == 1 {
			r.add(sessions, r.SessionID)
		}
		r.kept = v.number(2)
		if bound != "" {
			r.sweeps = append(r.sweeps, newSweep(r, refreshTokens).begun(v, 3))
		}
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
