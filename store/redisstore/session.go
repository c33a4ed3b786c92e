package redisstore

import (
	"context"
	"fmt"

	"github.com/logoutd/logoutd/store"
)

// PutSessions registers sessions; see [store.Store].
func (s *Store) PutSessions(ctx context.Context, sessions []store.Session) ([]store.PutResult, error) {
	puts := make([]*registration, len(sessions))
	for i, session := range sessions {
		puts[i] = ofSession(session)
	}
	results, err := register(ctx, s, puts, s.findOwn, s.admit, s.write, s.review, s.withdraw)
	if err != nil {
		return nil, fmt.Errorf("registering sessions: %w", err)
	}
	return results, nil
}

func ofSession(session store.Session) *registration {
	return &registration{
		id: session.ID, key: sessionKey(session.ID), index: keyOf(session.User).sessions(),
		user: session.User, device: session.DeviceID,
		authenticatedAt: millis(session.AuthenticatedAt), expiresAt: millis(session.ExpiresAt),
		app: session.AppID, kind: string(session.Kind),
	}
}

// register takes registrations through the stages; those that build on one
// another in the order of the batch.
func register(ctx context.Context, s *Store, puts []*registration, stages ...stage[*registration]) ([]store.PutResult, error) {
	for _, wave := range waves(puts, (*registration).touches) {
		if err := run(ctx, s, wave, stages...); err != nil {
			return nil, err
		}
	}
	awaitAll(puts, func(r *registration) moment { return r.taken })
	results := make([]store.PutResult, len(puts))
	for i, put := range puts {
		results[i] = put.result()
	}
	return results, nil
}

func (r *registration) touches() []string {
	if r.rotatedFrom == "" {
		return []string{r.id}
	}
	return []string{r.id, r.rotatedFrom}
}

// check is the look-up of a session or refresh token.
type check struct {
	itemError
	id     string
	key    string
	record record
	parent record // of a refresh token: the session that it is bound to
	cutoff int64
}

// Sessions looks sessions up; see [store.Store]. One whose record or cutoffs
// cannot be read is logged, and is neither known nor active.
func (s *Store) Sessions(ctx context.Context, ids []string) ([]store.SessionState, error) {
	checks, err := s.check(ctx, ids, sessionKey)
	if err != nil {
		return nil, fmt.Errorf("looking up sessions: %w", err)
	}
	states := make([]store.SessionState, len(ids))
	for i, c := range checks {
		if c.err != nil {
			s.log.ErrorContext(ctx, "session unreadable", "session_id", c.id, "err", c.err)
			continue
		}
		states[i] = store.SessionState{
			Session: c.record.session(c.id), Known: c.record.found, Active: c.active(),
			EndedAt: fromMillis(c.endedAt()), RevokedBy: c.record.mark,
		}
	}
	return states, nil
}

func (s *Store) check(ctx context.Context, ids []string, key func(id string) string) ([]*check, error) {
	checks := make([]*check, len(ids))
	for i, id := range ids {
		checks[i] = &check{id: id, key: key(id)}
	}
	return checks, run(ctx, s, checks, findRecord, findEnds)
}

func findRecord(_ context.Context, p *pipe, c *check) func() error {
	own := look(p, c.key)
	return func() (err error) {
		c.record, err = own()
		return err
	}
}

// findEnds looks up what besides its own record may have ended it.
func findEnds(ctx context.Context, p *pipe, c *check) func() error {
	if !c.record.found {
		return nil
	}
	cutoff := overtaking(ctx, p, c.record.user, c.record.device)
	parent := absent
	if c.record.sessionID != "" {
		parent = look(p, sessionKey(c.record.sessionID))
	}
	return func() (err error) {
		if c.cutoff, err = cutoff(); err != nil {
			return err
		}
		c.parent, err = parent()
		return err
	}
}

func (c *check) active() bool { return c.record.found && c.endedAt() == 0 }

// endedAt is when it ended, cutoffs considered, 0 while it lives.
func (c *check) endedAt() int64 {
	at := c.record.endedAt()
	if c.record.found && c.record.authenticatedAt <= c.cutoff && (at == 0 || c.cutoff < at) {
		at = c.cutoff
	}
	return at
}
