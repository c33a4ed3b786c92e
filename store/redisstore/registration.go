package redisstore

import (
	"cmp"
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// registration is a session or refresh token on its way into the store. What
// it inherits, from its own record if there is one or else from a parent,
// replaces what was asked for.
type registration struct {
	itemError
	id          string
	key         string // of its record
	index       string // of its user
	user        store.User
	device      string
	app         string
	kind        string // of a session
	sessionID   string // of a refresh token: what it is bound to
	rotatedFrom string
	direct      bool // sessionID was named by the caller
	known       bool // it has a record

	authenticatedAt, expiresAt int64 // milliseconds
	inherited                  bool  // authenticatedAt is that of its own record or of a parent
	taken                      moment
	created                    bool
	overtakenAt                int64 // by a cutoff, while it was written
}

func (r *registration) result() store.PutResult {
	return store.PutResult{ID: r.id, Created: r.created && r.err == nil, Err: r.err}
}

// findOwn inherits from the record that the registration has already.
func (s *Store) findOwn(_ context.Context, p *pipe, r *registration) func() error {
	own := look(p, r.key)
	return func() error {
		rec, err := own()
		if err != nil || !rec.found {
			return err
		}
		if rec.tombstone() {
			return revoked(rec.revokedAt)
		}
		if rec.user != r.user {
			return store.ErrOtherUser
		}
		if at := rec.endedAt(); at > 0 {
			return revoked(at)
		}
		r.known = true
		r.sessionID, r.device = rec.sessionID, rec.device
		r.authenticatedAt, r.inherited = rec.authenticatedAt, true
		return nil
	}
}

// admit enters the registration into its user's index, first of all, so that
// a later call that raises the cutoff finds it there.
func (s *Store) admit(_ context.Context, p *pipe, r *registration) func() error {
	user, given := keyOf(r.user), "1"
	if r.inherited {
		given = ""
	}
	result := p.each(admitScript,
		[]string{user.cutoff(), user.deviceCutoff(r.device), r.index},
		r.id, r.authenticatedAt, given, r.expiresAt, s.retention)
	return func() error {
		v, err := result.reply()
		if err != nil {
			return err
		}
		if cutoff := v.number(1); cutoff > 0 {
			return revoked(cutoff)
		}
		if at := v.number(0); at != r.authenticatedAt {
			r.taken.take()
			r.authenticatedAt = at
		}
		return nil
	}
}

// write creates or extends the record.
func (s *Store) write(_ context.Context, p *pipe, r *registration) func() error {
	result := p.each(putScript, []string{r.key},
		s.retention, r.user.TenantID, r.user.ID, r.authenticatedAt, r.expiresAt,
		r.sessionID, r.device, r.app, r.kind)
	return func() error {
		v, err := result.reply()
		if err != nil {
			return err
		}
		switch v.text(0) {
		case "other":
			return store.ErrOtherUser
		case "revoked":
			return revoked(v.number(1))
		}
		r.created = v.text(0) == "created"
		r.authenticatedAt = v.number(1)
		return nil
	}
}

// review looks at the cutoffs, and the session that it is bound to, a last
// time: they may have overtaken the registration while it was written.
func (s *Store) review(ctx context.Context, p *pipe, r *registration) func() error {
	cutoff := overtaking(ctx, p, r.user, r.device)
	parent := absent
	if r.sessionID != "" {
		parent = look(p, sessionKey(r.sessionID))
	}
	return func() error {
		at, err := cutoff()
		if err != nil {
			return err
		}
		rec, err := parent()
		switch {
		case r.authenticatedAt <= at:
			r.overtakenAt = at
		case rec.revokedAt > 0:
			r.overtakenAt = rec.endedAt()
		}
		return err
	}
}

// withdraw refuses what was overtaken. It is dead already, also if this step
// is never reached: checks look at the cutoffs, and at the session of a token.
func (s *Store) withdraw(ctx context.Context, p *pipe, r *registration) func() error {
	if r.overtakenAt == 0 {
		return nil
	}
	refusal := revoked(r.overtakenAt)
	if !r.created {
		return func() error { return refusal }
	}
	cmd := p.EvalSha(ctx, withdrawScript, []string{r.key}, r.overtakenAt)
	return func() error { return cmp.Or(cmd.Err(), refusal) }
}

// look queues the look-up of a record.
func look(p *pipe, key string) func() (record, error) {
	result := p.each(lookScript, []string{key})
	return func() (record, error) {
		v, err := result.reply()
		return recordOf(v), err
	}
}

// absent is the look-up of what nobody asked for.
func absent() (record, error) { return record{}, nil }

// overtaking queues the look-up of the later of the cutoffs of user and
// device, in milliseconds.
func overtaking(ctx context.Context, p *pipe, u store.User, device string) func() (int64, error) {
	key := keyOf(u)
	cmds := []*redis.StringCmd{p.Get(ctx, key.cutoff()), p.Get(ctx, key.deviceCutoff(device))}
	return func() (int64, error) {
		var latest int64
		for _, cmd := range cmds {
			if errors.Is(cmd.Err(), redis.Nil) {
				continue
			}
			at, err := cmd.Int64()
			if err != nil {
				return 0, err
			}
			latest = max(latest, at)
		}
		return latest, nil
	}
}

// pairs are the names and values of the fields that have a value.
func pairs(namesAndValues ...string) []any {
	var fields []any
	for i := 0; i < len(namesAndValues); i += 2 {
		if namesAndValues[i+1] != "" {
			fields = append(fields, namesAndValues[i], namesAndValues[i+1])
		}
	}
	return fields
}
