package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/workers"
)

const (
	// pushesPerUser is how many push registrations a user has.
	pushesPerUser = 50
	// pushLoops is how many deletions logoutd has under way at once.
	pushLoops = 32
)

// push measures how fast push registrations are deleted at a provider that
// answers at once.
func (s *suite) push(ctx context.Context) error {
	provider, url, err := startSelf(ctx, "bare")
	if err != nil {
		return err
	}
	defer provider.stop()
	address := url + "/{push_token}"
	d, err := s.deploy(ctx, deployOptions{settings: pushSettings(address)})
	if err != nil {
		return err
	}
	defer d.stop()
	s.progress.step("push deletions: registering")
	c := newCrowd()
	c.PushRegistrations = pushesPerUser
	if err := s.provide(ctx, &d.system, c, s.pushes/pushesPerUser); err != nil {
		return err
	}
	var rate float64
	loop, err := between(
		func() (*result, error) { return s.pushLoop(ctx, address) },
		func() (err error) {
			rate, err = s.pushDeletions(ctx, d, c)
			return err
		})
	if err != nil {
		return err
	}
	s.add(placePush, ratioAtLeast("push registrations deleted", quantity{Value: rate, Unit: perSecond}, rateOf(loop).of("bare loop"), 0.4))
	return nil
}

// pushSettings are those of a logoutd that knows the provider.
func pushSettings(url string) string {
	return fmt.Sprintf("push:\n  - {provider: %s, kind: http, url: %q}\n", pushProvider, url)
}

// pushDeletions logs all users of a crowd out at once and returns at what rate
// their push registrations were deleted.
func (s *suite) pushDeletions(ctx context.Context, d *deployment, c *crowd) (float64, error) {
	s.progress.step("push deletions")
	t, err := newTarget(d.public, dialects["sap_v2"], c.sessions)
	if err != nil {
		return 0, err
	}
	pushes := float64(c.left() * c.PushRegistrations)
	if _, err := s.load(ctx, load{target: t, next: c.next, connections: calmConnections, duration: time.Minute}); err != nil {
		return 0, err
	}
	return s.drainRate(ctx, &d.system, func(now samples) (float64, bool) {
		done, _ := now.sum("logoutd_attempts_total", `step="push"`, `outcome="ok"`)
		return done, done >= pushes
	})
}

// pushLoop calls the provider with logoutd's own client, in loops that do
// nothing else.
func (s *suite) pushLoop(ctx context.Context, url string) (*result, error) {
	s.progress.step("push deletions in a bare loop")
	sender, err := workers.NewHTTPSender(workers.HTTPConfig{URL: url})
	if err != nil {
		return nil, err
	}
	start := time.Now()
	r := newRecorder(start, s.baseline)
	var number atomic.Int64
	var looping sync.WaitGroup
	for range pushLoops {
		looping.Go(func() {
			for now := start; ctx.Err() == nil && now.Sub(start) < s.baseline; {
				task := events.Task{PushRegistration: events.PushRegistration{PushToken: fmt.Sprint(number.Add(1))}}
				begin := now
				err := sender.Send(ctx, task)
				now = time.Now()
				if err != nil {
					r.bad(0)
					continue
				}
				r.good(204, now, now.Sub(begin))
			}
		})
	}
	looping.Wait()
	return r.result(204), ctx.Err()
}
