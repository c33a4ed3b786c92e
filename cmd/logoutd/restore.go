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

// restoreFences fences the sessions of all pending requests again. The embedded
// store keeps fences in memory until a worker has revoked the sessions, so a
// process that died has lost them.
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
		fencing.Go(func() error { return s.repeatFences(fenceCtx, clocks, requests) })
		return nil
	})
	if failed := fencing.Wait(); failed != nil {
		return failed
	}
	return err
}

// repeatFences repeats the session fences of requests. The fence of a user or
// device was already written to disk. A fence that fails alone is left to the
// worker. A request whose fence was skipped gets the bound that a worker would
// give it.
func (s *service) repeatFences(ctx context.Context, clocks broker.Clocks, requests []messages.Request) error {
	var fences []store.Fence
	for _, r := range requests {
		if r.SessionID != "" {
			fences = append(fences, store.Fence{RequestID: r.ID, SessionID: r.SessionID, At: clocks.Bound(r).Time})
		}
	}
	_, err := s.store.Fence(ctx, fences)
	return err
}

// restored returns an error until the fences are restored: before that, a check
// could report a revoked session as active.
func (s *service) restored() error {
	if s.settings.RedisURL == "" && !s.broker.setUp.Load() {
		return fmt.Errorf("restoring fences: %w", broker.ErrUnavailable)
	}
	return nil
}
