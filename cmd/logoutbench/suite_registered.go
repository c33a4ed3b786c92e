package main

import (
	"context"
	"errors"
	"fmt"
)

// registered is a logoutd with everything embedded and very many sessions.
type registered struct {
	*deployment
	singles *crowd // one session each
	users   *crowd // two sessions and two refresh tokens each
}

func (s *suite) newRegistered(ctx context.Context) (*registered, error) {
	d, err := s.deploy(ctx, deployOptions{})
	if err != nil {
		return nil, err
	}
	r := &registered{deployment: d, singles: newCrowd(), users: newCrowd()}
	r.users.Sessions, r.users.RefreshTokens = 2, 2
	s.progress.step("registering in SQLite: %s sessions, %s refresh tokens", grouped(float64(s.sessions)), grouped(float64(2*s.backlog)))
	if err = r.users.register(ctx, &r.system, s.backlog, s.progress.registered); err == nil {
		err = r.singles.register(ctx, &r.system, s.sessions-2*s.backlog, s.progress.registered)
	}
	if err != nil {
		d.stop()
		return nil, err
	}
	return r, nil
}

var errNotRegistered = errors.New("nothing was registered")

// measureRegistered measures what takes many registered sessions.
func (s *suite) measureRegistered(ctx context.Context) error {
	if s.registered == nil {
		return errNotRegistered
	}
	for _, measure := range []func(context.Context, *registered) error{s.startUp, s.embeddedBacklog, s.sustainedRate} {
		if err := measure(ctx, s.registered); err != nil {
			return err
		}
	}
	return nil
}

// startUp measures how long a start takes until the system is ready.
func (s *suite) startUp(ctx context.Context, r *registered) error {
	s.progress.step("start with %s sessions and %s pending requests", grouped(float64(s.sessions)), grouped(float64(s.pending)))
	took, err := s.restart(ctx, r.deployment, "", r.users, s.pending)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("start to ready, embedded, %s sessions, %s pending", grouped(float64(s.sessions)), grouped(float64(s.pending)))
	s.add(placeStart, atMost(what, inSeconds(took), 2))
	return nil
}

// embeddedBacklog measures how fast a backlog of sap_v2 is worked off with
// SQLite: what is left of that of startUp, and the other users'.
func (s *suite) embeddedBacklog(ctx context.Context, r *registered) error {
	if _, err := s.restart(ctx, r.deployment, "", r.users, r.users.left()); err != nil {
		return err
	}
	rate, err := s.workOff(ctx, r.deployment)
	if err != nil {
		return err
	}
	const what = "revocations from a backlog of SAP v2, SQLite"
	figure := quantity{Value: rate, Unit: perSecond}
	if s.revocations.Value == 0 {
		s.add(placeRevocations, row{What: what, Figure: figure, Note: "Redis was not measured"})
		return nil
	}
	s.add(placeRevocations, ratioAtLeast(what, figure, s.revocations.of("Redis"), 1))
	return nil
}

// sustainedRate looks for the highest rate at which the oldest pending request
// stays young.
func (s *suite) sustainedRate(ctx context.Context, r *registered) error {
	top := s.peak
	if top == 0 {
		burst, _, err := s.burstRun(ctx, "burst, to know the peak", r.deployment, r.singles, sustainedConnections)
		if err != nil {
			return err
		}
		top = burst.throughput()
	}
	var held *result
	bare, err := between(
		func() (*result, error) { return s.bare(ctx, sustainedConnections, s.baseline/2) },
		func() (err error) {
			held, err = s.sustain(ctx, &r.system, r.singles, top, s.probe, s.length)
			return err
		})
	if err != nil {
		return err
	}
	s.keep("logoutd, embedded, sustained", held)
	line := ratioAtLeast(fmt.Sprintf("sustained for %s", s.length), rateOf(held), rateOf(bare).of("bare"), 0.20)
	line.Note = fmt.Sprintf("p50 %s, p99 %s", inMillis(held.Latency.quantile(0.5)), inMillis(held.Latency.quantile(0.99)))
	s.add(placeSustained, line)
	return nil
}
