package redisstore

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// fence is a [store.Fence] and its result.
type fence struct {
	itemError
	store.Fence
	fenced store.Fenced
}

// Fence makes logouts take effect in checks; see [store.Store].
func (s *Store) Fence(ctx context.Context, asked []store.Fence) ([]store.Fenced, error) {
	fences := make([]*fence, len(asked))
	for i, f := range asked {
		fences[i] = &fence{Fence: f}
	}
	if err := run(ctx, s, fences, s.fence); err != nil {
		return nil, fmt.Errorf("fencing: %w", err)
	}
	results := make([]store.Fenced, len(fences))
	for i, f := range fences {
		results[i] = f.fenced
		results[i].Err = f.err
	}
	return results, nil
}

func (s *Store) fence(ctx context.Context, p redis.Pipeliner, f *fence) func() error {
	if f.SessionID == "" {
		return s.fenceUser(ctx, p, f)
	}
	cmd := fenceSession(ctx, p, f.Fence)
	return func() error {
		v, err := replyOf(cmd)
		if err != nil {
			return err
		}
		f.fenced = store.Fenced{
			Outcome: store.FenceOutcome(v.text(0)),
			Cutoff:  fromMillis(v.number(1)),
			Session: recordOf(v[2:]).session(f.SessionID),
		}
		return nil
	}
}

func fenceSession(ctx context.Context, p redis.Pipeliner, f store.Fence) *redis.Cmd {
	refuse := ""
	if f.RefuseBrowser {
		refuse = "1"
	}
	return p.EvalSha(ctx, fenceScript, []string{sessionKey(f.SessionID)}, f.RequestID, millis(f.At), refuse)
}

// fenceUser raises the cutoff of the user, or of the user's device.
func (s *Store) fenceUser(ctx context.Context, p redis.Pipeliner, f *fence) func() error {
	user := keyOf(f.User)
	cutoff := user.cutoff()
	if f.DeviceID != "" {
		cutoff = user.deviceCutoff(f.DeviceID)
	}
	cmd := p.EvalSha(ctx, raiseScript, []string{cutoff, user.sessions(), user.refresh()},
		millis(f.At), s.retention, store.CutoffRetention.Milliseconds())
	return func() error {
		at, err := cmd.Int64()
		if err != nil {
			return err
		}
		f.fenced = store.Fenced{Outcome: store.FenceFenced, Cutoff: fromMillis(at)}
		return nil
	}
}
