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
	// giantPatience is how long the giant's logout may take.
	giantPatience = 30 * time.Second
)

// giantUser measures the logout of a user with very many sessions, and what
// others notice of it.
func (s *suite) giantUser(ctx context.Context, e *external) error {
	s.progress.step("one user with %s sessions: registering", grouped(float64(s.giant)))
	giant := newCrowd()
	giant.Sessions = s.giant
	if err := giant.register(ctx, &e.system, 1, nil); err != nil {
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
	s.progress.step("one user with %s sessions logs out", grouped(float64(s.giant)))
	took, meanwhile, err := s.giantLogout(ctx, e, giant)
	if err != nil {
		return err
	}
	slow, slowest, err := e.redis.slow(ctx)
	if err != nil {
		return err
	}
	s.addGiant(took, meanwhile, usual, slow, slowest)
	return nil
}

func (s *suite) addGiant(took time.Duration, meanwhile, usual *result, slow, slowest int64) {
	what := fmt.Sprintf("SAP v2 of a user with %s sessions", grouped(float64(s.giant)))
	commands := atMost(what+": Redis commands above 10 ms", quantity{Value: float64(slow)}, 0)
	if slowest > 0 {
		commands.Note = fmt.Sprintf("%d ms at most", slowest)
	}
	s.add(placeGiant,
		atMost(what+": done after", inSeconds(took), 3),
		ratioAtMost(what+": another's p99 meanwhile",
			inMillis(meanwhile.Latency.quantile(0.99)), inMillis(usual.Latency.quantile(0.99)).of("as usual"), 3),
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

// giantLogout logs the giant out and returns how long it took until its public
// event came, and what others met with until then.
func (s *suite) giantLogout(ctx context.Context, e *external, giant *crowd) (took time.Duration, meanwhile *result, err error) {
	request := events.RequestID(string(dialects["sap_v2"].scope), giant.sessionID(0))
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
	running.Go(func() error { return s.logOutOnce(runCtx, e, giant) })
	err = running.Wait()
	if stopped := stop(); err == nil {
		err = stopped
	}
	if err == nil && done.Load() == 0 {
		err = fmt.Errorf("the logout of a user with %d sessions: %w", giant.Sessions, errTooLong)
	}
	return time.Unix(0, done.Load()).Sub(begin), meanwhile, err
}

func (s *suite) logOutOnce(ctx context.Context, e *external, c *crowd) error {
	t, err := newTarget(e.public, dialects["sap_v2"], c.sessions)
	if err != nil {
		return err
	}
	_, err = load{target: t, next: c.next, connections: 1, duration: giantPatience}.run(ctx)
	return err
}
