package redisstore

import (
	"context"
	"fmt"

	"github.com/logoutd/logoutd/store"
)

// fence is a [store.Fence] and its result.
type fence struct {
	itemError
	store.Fence
	fenced store.Fenced
}

// Fence makes logouts take effect in checks; see [store.Store]. Concurrent
// calls that have a deadline share their round trips, and where it passes, or a
// node of a cluster fails, only those fences fail that are not done. One that
// may wait for ever goes alone: a server that hangs would let it hold up the
// others.
func (s *Store) Fence(ctx context.Context, asked []store.Fence) ([]store.Fenced, error) {
	fences := make([]*fence, len(asked))
	for i, f := range asked {
		fences[i] = &fence{Fence: f}
	}
	var done map[*fence]bool
	var err error
	if _, limited := ctx.Deadline(); limited {
		done, err = s.fences.do(ctx, fences)
	} else {
		err = s.fenceAll(ctx, fences)
	}
	if err != nil {
		err = fmt.Errorf("fencing: %w", err)
		if len(done) == 0 {
			return nil, err
		}
	}
	results := make([]store.Fenced, len(fences))
	for i, f := range fences {
		if err != nil && !done[f] { // it may be yet, and must not be looked at
			results[i].Err = err
			continue
		}
		results[i] = f.fenced
		results[i].Err = f.err
	}
	return results, nil
}

func (s *Store) fenceAll(ctx context.Context, fences []*fence) error {
	return run(ctx, s, fences, s.fenceOne, s.endDurably)
}

func (s *Store) fenceOne(ctx context.Context, p *pipe, f *fence) func() error {
	if f.SessionID == "" {
		return fenceUser(ctx, p, f)
	}
	refuse := ""
	if f.RefuseBrowser {
		refuse = "1"
	}
	tombstone := int64(0)
	if f.EndUnknown {
		tombstone = s.retention
	}
	result := p.each(fenceScript, []string{sessionKey(f.SessionID)}, f.RequestID, millis(f.At), refuse, tombstone)
	return func() error {
		v, err := result.reply()
		if err != nil {
			return err
		}
		f.fenced = store.Fenced{Outcome: store.FenceOutcome(v.text(0)), Cutoff: fromMillis(v.number(1))}
		if fields, known := v.list(4); known {
			f.fenced.Session = record{
				found: true, user: store.User{TenantID: fields.text(0), ID: fields.text(1)},
				device: fields.text(2), app: fields.text(3), kind: fields.text(4),
				authenticatedAt: v.number(2), expiresAt: v.number(3),
			}.session(f.SessionID)
		}
		return nil
	}
}

// endDurably records in the user's slot when a session ended whose request is
// given up: a revocation that comes later reads it there.
func (s *Store) endDurably(_ context.Context, p *pipe, f *fence) func() error {
	if !f.Durable || f.SessionID == "" || f.fenced.Session.ID == "" || f.fenced.Outcome == store.FenceRefused {
		return nil
	}
	end := keyOf(f.fenced.Session.User).ended(f.SessionID)
	result := p.each(endScript, []string{end}, millis(f.fenced.Cutoff), s.retention)
	return func() error {
		v, err := result.reply()
		if err == nil {
			f.fenced.Cutoff = fromMillis(v.number(0))
		}
		return err
	}
}

// fenceUser raises the cutoff of the user, or of the user's device.
func fenceUser(ctx context.Context, p *pipe, f *fence) func() error {
	user := keyOf(f.User)
	cutoff := user.cutoff()
	if f.DeviceID != "" {
		cutoff = user.deviceCutoff(f.DeviceID)
	}
	cmd := p.EvalSha(ctx, raiseScript, []string{cutoff, user.sessions(), user.refresh()}, millis(f.At), cutoffRetention)
	return func() error {
		at, err := cmd.Int64()
		if err != nil {
			return err
		}
		f.fenced = store.Fenced{Outcome: store.FenceFenced, Cutoff: fromMillis(at)}
		return nil
	}
}
