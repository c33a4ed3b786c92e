package redisstore

import (
	"context"

	"github.com/logoutd/logoutd/store"
)

// A push token is one installation of an app, and the newest registration that
// has it is its holder. An entry of the token names the holder, in a slot of its
// own; it counts only as long as the registration that it names has the token.

// hold makes a registration that was written the holder of its push token. It
// gives back the token that it had before.
func hold(p *pipe, put *pushPut) (read func() error) {
	if put.registered == 0 {
		return func() error { return nil }
	}
	key := keyOf(put.User).registration(put.ID)
	held := p.each(pushHoldScript, []string{pushTokenKey(put.Provider, put.PushToken)}, key, put.registered, cutoffRetention)
	released := &result{}
	if put.tokenBefore != "" {
		released = release(p, key, put.Provider, put.tokenBefore, put.registered)
	}
	return func() error {
		if held.err != nil {
			return held.err
		}
		return released.err
	}
}

// release deletes the entry of a push token, if it names the registration with
// the key as it was up to a time.
func release(p *pipe, key, provider, token string, upTo int64) *result {
	return p.each(pushReleaseScript, []string{pushTokenKey(provider, token)}, key, upTo)
}

// releaseDeleted deletes the entries of what was deleted.
func releaseDeleted(_ context.Context, p *pipe, part *part) func() error {
	if len(part.deleted) == 0 {
		return nil
	}
	var released []*result
	for key, v := range part.deleted {
		released = append(released, release(p, key, v.text(1), v.text(2), v.number(0)))
	}
	return func() error {
		for _, r := range released {
			if r.err != nil {
				return r.err
			}
		}
		return nil
	}
}

// findHolder looks whether another registration, which is newer, has the push
// token of the one that is asked for.
func findHolder(ctx context.Context, p *pipe, c *pushCheck) func() error {
	own := keyOf(c.User).registration(c.PushRegistrationID)
	if c.again || c.holder == "" || c.holder == own || c.heldSince <= millis(c.RegisteredAt) {
		return nil
	}
	fields := p.HMGet(ctx, c.holder, "provider", "token", "mark")
	return func() error {
		values, err := fields.Result()
		c.again = err == nil && values[0] == c.Provider && values[1] == c.PushToken && values[2] == nil
		return err
	}
}

func pushTokenKey(provider, token string) string {
	return "logoutd:push:{" + store.PushTokenID(provider, token) + "}"
}
