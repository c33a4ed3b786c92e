package main

import (
	"context"
	"errors"
	"time"
)

// external is a logoutd with NATS and Redis as processes of their own.
type external struct {
	nats    *child
	natsURL string
	redis   *redisServer
	*deployment

	singles *crowd // one session each
	users   *crowd // two sessions and two refresh tokens each
}

func (s *suite) newExternal(ctx context.Context) (e *external, err error) {
	e = &external{singles: newCrowd(), users: newCrowd()}
	e.users.Sessions, e.users.RefreshTokens = 2, 2
	defer func() {
		if err != nil {
			e.stop()
			e = nil
		}
	}()
	if e.nats, e.natsURL, err = s.nats(ctx); err != nil {
		return e, err
	}
	if e.redis, err = s.bench.redis(ctx); err != nil {
		return e, err
	}
	if e.deployment, err = s.deploy(ctx, deployOptions{natsURL: e.natsURL, redisURL: e.redis.url}); err != nil {
		return e, err
	}
	singles := s.backlog * 3 / 2 // for all that is measured, most likely
	s.progress.step("registering in Redis: %s users", grouped(float64(s.backlog+singles)))
	return e, e.redis.hastily(ctx, func() error {
		if err := e.users.register(ctx, &e.system, s.backlog, s.progress.registered); err != nil {
			return err
		}
		return e.singles.register(ctx, &e.system, singles, s.progress.registered)
	})
}

// stop ends whatever runs.
func (e *external) stop() {
	if e.deployment != nil {
		e.deployment.stop()
	}
	if e.redis != nil {
		e.redis.stop()
	}
	if e.nats != nil {
		e.nats.stop()
	}
}

var errNoRedis = errors.New("there is no redis-server on the PATH, or it could not be prepared")

// measureExternal measures what takes NATS and Redis as processes, and ends
// them: what follows has the machine for itself.
func (s *suite) measureExternal(ctx context.Context) error {
	if s.external == nil {
		return errNoRedis
	}
	defer func() {
		s.external.stop()
		s.external = nil
	}()
	for _, measure := range []func(context.Context, *external) error{s.externalBurst, s.giantUser, s.externalBacklog} {
		if err := measure(ctx, s.external); err != nil {
			return err
		}
	}
	return nil
}

func (s *suite) externalBurst(ctx context.Context, e *external) error {
	const connections = 256
	var r, inline *result
	bare, err := between(
		func() (*result, error) { return s.bare(ctx, connections, s.baseline) },
		func() (err error) {
			inline, err = between(
				func() (*result, error) { return s.inline(ctx, e.redis, "sap_v1", e.singles, connections, s.baseline) },
				func() (err error) {
					r, _, err = s.burstRun(ctx, "burst, NATS and Redis", e.deployment, e.singles, connections)
					return err
				})
			return err
		})
	if err != nil {
		return err
	}
	s.keep("logoutd, NATS and Redis", r)
	s.keep("inline", inline)
	const what = "burst, NATS and Redis, 256 connections"
	s.add(placeExternal,
		ratioAtLeast(what, rateOf(r), rateOf(bare).of("bare"), 0.25),
		ratioAtLeast(what, rateOf(r), rateOf(inline).of("inline"), 1.5),
		atMost(what+": answers other than 204", quantity{Value: float64(r.Bad)}, 0),
	)
	return nil
}

// externalBacklog measures how fast a backlog of sap_v2 is worked off with
// Redis.
func (s *suite) externalBacklog(ctx context.Context, e *external) error {
	var rate float64
	inline, err := between(
		func() (*result, error) { return s.inline(ctx, e.redis, "sap_v2", e.users, 256, s.baseline) },
		func() (err error) {
			if err = e.settled(ctx); err != nil {
				return err
			}
			if _, err = s.restart(ctx, e.deployment, e.natsURL, e.users, s.backlog); err != nil {
				return err
			}
			rate, err = s.workOff(ctx, e.deployment)
			return err
		})
	if err != nil {
		return err
	}
	s.revocations = quantity{Value: rate, Unit: perSecond}
	s.add(placeRevocations, ratioAtLeast("revocations from a backlog of SAP v2, Redis", s.revocations, rateOf(inline).of("inline"), 2.5))
	return nil
}

// restart stops a logoutd, leaves logouts of n users of a crowd pending, and
// returns how long it took to start again. An empty natsURL means the embedded
// broker.
func (s *suite) restart(ctx context.Context, d *deployment, natsURL string, c *crowd, n int) (time.Duration, error) {
	d.stop()
	if err := leavePending(ctx, d, natsURL, c, "sap_v2", n); err != nil {
		return 0, err
	}
	return d.start(ctx)
}

// workOff waits until a logoutd that has just started has worked its backlog
// off, and returns at what rate.
func (s *suite) workOff(ctx context.Context, d *deployment) (float64, error) {
	s.progress.step("a backlog of %s requests", grouped(float64(s.backlog)))
	return s.drainRate(ctx, &d.system, func(now samples) (float64, bool) {
		done, _ := now.sum("logoutd_revocations_total")
		left, known := now.sum("logoutd_backlog_messages")
		return done, known && left == 0 && done > 0
	})
}
