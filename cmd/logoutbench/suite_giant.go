package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/logoutd/logoutd/events"
)

const (
	// others is how many users log out a second beside the giant.
	others = 500
	// giants is how many of them log out, one after the other: the moment that
	// one takes shows few answers to others.
	giants = 3
	// giantPatience is how long a giant's logout may take.
	giantPatience = 30 * time.Second
)

// giantUser measures the logout of users with very many sessions, and what
// others notice of it.
func (s *suite) giantUser(ctx context.Context, e *external) error {
	s.progress.step("%d users with %s sessions: registering", giants, grouped(float64(s.giant)))
	giant := newCrowd()
	giant.Sessions = s.giant
	err := e.redis.hastily(ctx, func() error { return giant.register(ctx, &e.system, giants, nil) })
	if err != nil {
		return err
	}
	if err := s.provide(ctx, &e.system, e.singles, int(others*(s.calm+giantPatience).Seconds())); err != nil {
		return err
	}
	s.progress.step("others' logouts as usual, %d/s", others)
	usual, err := s.othersRun(ctx, e, s.calm, e.singles.next)
	if err != nil {
		return err
	}
	if err := e.redis.watchSlow(ctx); err != nil {
		return err
	}
	s.progress.step("%d users with %s sessions log out", giants, grouped(float64(s.giant)))
	longest, meanwhile, err := s.giantLogouts(ctx, e, giant)
	if err != nil {
		return err
	}
	slow, slowest, err := e.redis.slow(ctx)
	if err != nil {
		return err
	}
	s.addGiant(longest, meanwhile, usual.Latency, slow, slowest)
	return nil
}

// giantLogouts logs all giants out and returns how long it took at most, and
// how long others waited meanwhile.
func (s *suite) giantLogouts(ctx context.Context, e *external, giant *crowd) (longest time.Duration, meanwhile *histogram, err error) {
	meanwhile = &histogram{}
	for session, ok := giant.next(); ok; session, ok = giant.next() {
		took, ofOthers, err := s.giantLogout(ctx, e, giant, session)
		if err != nil {
			return 0, nil, err
		}
		longest = max(longest, took)
		meanwhile.merge(ofOthers.Latency)
	}
	return longest, meanwhile, nil
}

func (s *suite) addGiant(took time.Duration, meanwhile, usual *histogram, slow, slowest int64) {
	what := fmt.Sprintf("SAP v2 of a user with %s sessions", grouped(float64(s.giant)))
	commands := atMost(what+": Redis commands above 10 ms", quantity{Value: float64(slow)}, 0)
	if slowest > 0 {
		commands.Note = fmt.Sprintf("%d ms at most", slowest)
	}
	s.add(placeGiant,
		atMost(what+": done after", inSeconds(took), 3),
		ratioAtMost(what+": another's p99 meanwhile",
			inMillis(meanwhile.quantile(0.99)), inMillis(usual.quantile(0.99)).of("as usual"), 3),
		commands,
	)
}

// othersRun logs out users at a low rate.
func (s *suite) othersRun(ctx context.Context, e *external, duration time.Duration, next func() (int, bool)) (*result, error) {
	t, err := newTarget(e.public, dialects["sap_v1"], e.singles.sessions)
	if err != nil {
		return nil, err
	}
	return load{target: t, next: next, connections: calmConnections, duration: duration, rate: others}.run(ctx)
}

// giantLogout logs a giant out with a session and returns how long it took
// until the public event came, and what others met with until then.
func (s *suite) giantLogout(ctx context.Context, e *external, giant *crowd, session int) (took time.Duration, meanwhile *result, err error) {
	request := events.RequestID(string(dialects["sap_v2"].scope), giant.sessionID(session))
	var done atomic.Int64 // when the event came
	stop, err := e.follow(ctx, func(id string, at time.Time) {
		if id == request {
			done.Store(at.UnixNano())
		}
	})
	if err != nil {
		return 0, nil, err
	}
	running, runCtx := errgroup.WithContext(ctx)
	running.Go(func() (err error) {
		meanwhile, err = s.othersRun(runCtx, e, giantPatience, func() (int, bool) {
			if done.Load() != 0 {
				return 0, false
			}
			return e.singles.next()
		})
		return err
	})
	begin := time.Now()
	running.Go(func() error { return s.logOutOnce(runCtx, e, giant, session) })
	err = running.Wait()
	if stopped := stop(); err == nil {
		err = stopped
	}
	if err == nil && done.Load() == 0 {
		err = fmt.Errorf("the logout of a user with %d sessions: %w", giant.Sessions, errTooLong)
	}
	return time.Unix(0, done.Load()).Sub(begin), meanwhile, err
}

func (s *suite) logOutOnce(ctx context.Context, e *external, c *crowd, session int) error {
	t, err := newTarget(e.public, dialects["sap_v2"], c.sessions)
	if err != nil {
		return err
	}
	left := 1
	once := func() (int, bool) {
		left--
		return session, left >= 0
	}
	_, err = load{target: t, next: once, connections: 1, duration: giantPatience}.run(ctx)
	return err
}
