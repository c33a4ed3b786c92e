package main

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// restoreFences fences the sessions of all pending requests anew. The embedded
// store keeps fences in memory until a worker has revoked, so that those of a
// process that died are gone.
func (s *service) restoreFences(ctx context.Context) error {
	if s.settings.RedisURL != "" {
		return nil
	}
	stream, err := s.js.Stream(ctx, messages.StreamRequests)
	if err != nil {
		return fmt.Errorf("restoring fences: %w: %w", broker.ErrUnavailable, err)
	}
	clocks, err := broker.ReadClocks(ctx, stream, s.store.Now)
	if err != nil {
		return err
	}
	fencing, fenceCtx := errgroup.WithContext(ctx)
	fencing.SetLimit(runtime.GOMAXPROCS(0))
	err = broker.Pending(ctx, s.js, func(requests []messages.Request) error {
		fencing.Go(func() error { return s.fenceAnew(fenceCtx, clocks, requests) })
		return nil
	})
	if failed := fencing.Wait(); failed != nil {
		return failed
	}
	return err
}

// fenceAnew repeats the fences of requests. That of a user or device was
// written at once, and one that fails for itself is left to the worker. What
// is not fenced gets the bound that a worker would give it.
func (s *service) fenceAnew(ctx context.Context, clocks broker.Clocks, requests []messages.Request) error {
	var fences []store.Fence
	for _, r := range requests {
		if r.SessionID != "" {
			fences = append(fences, store.Fence{RequestID: r.ID, SessionID: r.SessionID, At: clocks.Bound(r).Time})
		}
	}
	_, err := s.store.Fence(ctx, fences)
	return err
}

// restored returns an error until the fences are restored: until then a check
// could call a session active that is not.
func (s *service) restored() error {
	if s.settings.RedisURL == "" && !s.broker.setUp.Load() {
		return fmt.Errorf("restoring fences: %w", broker.ErrUnavailable)
	}
	return nil
}
