package redisstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// pushPut is a push registration on its way into the store.
type pushPut struct {
	itemError
	store.PushRegistration
	session     record // that it is bound to
	created     bool
	registered  int64  // when it was written; 0: it was not
	tokenBefore string // the push token that it had; empty: the same, or none
	taken       moment
}

// PutPushRegistrations registers push registrations; see [store.Store].
func (s *Store) PutPushRegistrations(ctx context.Context, registrations []store.PushRegistration) ([]store.PutResult, error) {
	puts := make([]*pushPut, len(registrations))
	for i, r := range registrations {
		r.ID = store.PushRegistrationID(r)
		puts[i] = &pushPut{PushRegistration: r}
	}
	sameID := func(put *pushPut) []string { return []string{put.ID, pushTokenKey(put.Provider, put.PushToken)} }
	for _, wave := range waves(puts, sameID) {
		if err := run(ctx, s, wave, findSession, s.writePush, reviewPush); err != nil {
			return nil, fmt.Errorf("registering push registrations: %w", err)
		}
	}
	awaitAll(puts, func(put *pushPut) moment { return put.taken })
	results := make([]store.PutResult, len(puts))
	for i, put := range puts {
		results[i] = store.PutResult{ID: put.ID, Created: put.created && put.err == nil, Err: put.err}
	}
	return results, nil
}

// findSession looks up the session that a registration is bound to.
func findSession(_ context.Context, p *pipe, put *pushPut) func() error {
	if put.SessionID == "" {
		return nil
	}
	session := look(p, sessionKey(put.SessionID))
	return func() error {
		rec, err := session()
		switch {
		case err != nil:
			return err
		case !rec.found:
			return store.ErrUnknownParent
		case rec.tombstone():
			return revoked(rec.revokedAt)
		case rec.user != put.User:
			return store.ErrOtherUser
		case rec.endedAt() > 0:
			return revoked(rec.endedAt())
		}
		put.session = rec
		return nil
	}
}

// writePush checks the cutoffs and writes, in one step: a registration that
// slipped through would stay, since nothing checks it later.
func (s *Store) writePush(ctx context.Context, p *pipe, put *pushPut) func() error {
	user := keyOf(put.User)
	keys := []string{
		user.cutoff(), user.deviceCutoff(put.DeviceID), user.pushCutoffs(put.DeviceID),
		user.push(), user.registration(put.ID),
		user.deviceCutoff(put.session.device), user.ended(put.SessionID),
	}
	args := []any{put.ID, put.AppID, millis(put.RegisteredAt), put.session.authenticatedAt}
	fields := pairs("device", put.DeviceID, "app", put.AppID, "provider", put.Provider,
		"token", put.PushToken, "session", put.SessionID)
	cmd := p.EvalSha(ctx, pushPutScript, keys, append(args, fields...)...)
	return func() error {
		v, err := replyOf(cmd)
		if err != nil {
			return err
		}
		if v.text(0) == "revoked" {
			return revoked(v.number(1))
		}
		if v.number(1) != millis(put.RegisteredAt) {
			put.taken.take()
		}
		put.created = v.text(0) == "created"
		if v.text(0) != "kept" {
			put.registered, put.tokenBefore = v.number(1), v.text(2)
		}
		return nil
	}
}

// reviewPush enters the registration as the holder of its push token, now that
// it is written, and looks at the session a last time: it may have been fenced while
// the registration was written. The revocation that follows every fence takes
// the registration along then.
func reviewPush(_ context.Context, p *pipe, put *pushPut) func() error {
	held, session := hold(p, put), absent
	if put.SessionID != "" {
		session = look(p, sessionKey(put.SessionID))
	}
	return func() error {
		if err := held(); err != nil {
			return err
		}
		rec, err := session()
		if err == nil && rec.revokedAt > 0 {
			return revoked(rec.endedAt())
		}
		return err
	}
}

// pushCheck is a [store.PushCheck] and its answer.
type pushCheck struct {
	itemError
	store.PushCheck
	holder    string // key of the registration that has the push token, as its entry says
	heldSince int64
	again     bool
}

// Reregistered reports which registrations were made again; see [store.Store].
// One that bears the mark of a logout was not. One that cannot be read is
// logged, and was not.
func (s *Store) Reregistered(ctx context.Context, asked []store.PushCheck) ([]bool, error) {
	checks := make([]*pushCheck, len(asked))
	for i, c := range asked {
		checks[i] = &pushCheck{PushCheck: c}
	}
	if err := run(ctx, s, checks, findRegistration, findHolder); err != nil {
		return nil, fmt.Errorf("looking up push registrations: %w", err)
	}
	again := make([]bool, len(asked))
	for i, c := range checks {
		if c.err != nil {
			s.log.ErrorContext(ctx, "push registration unreadable", "user_id", c.User.ID, "err", c.err)
		}
		again[i] = c.again
	}
	return again, nil
}

func findRegistration(ctx context.Context, p *pipe, c *pushCheck) func() error {
	key := keyOf(c.User).registration(c.PushRegistrationID)
	registered, mark := p.HGet(ctx, key, "registered"), p.HGet(ctx, key, "mark")
	var entry *redis.SliceCmd
	if c.PushToken != "" {
		entry = p.HMGet(ctx, pushTokenKey(c.Provider, c.PushToken), "holder", "registered")
	}
	return func() error {
		if entry != nil {
			if err := c.readEntry(entry); err != nil {
				return err
			}
		}
		at, err := registered.Int64()
		if errors.Is(err, redis.Nil) {
			return nil
		}
		c.again = err == nil && at > millis(c.Cutoff) && mark.Val() == ""
		return err
	}
}

func (c *pushCheck) readEntry(entry *redis.SliceCmd) (err error) {
	values, err := entry.Result()
	if err != nil {
		return err
	}
	c.holder, _ = values[0].(string)
	since, _ := values[1].(string)
	c.heldSince, err = parseMillis(since)
	return err
}
