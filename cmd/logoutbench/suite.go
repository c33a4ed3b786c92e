package main

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// sizes are how large and long the measurements of a suite are.
type sizes struct {
	burst    time.Duration
	baseline time.Duration // each run of a baseline; there are two around each figure
	single   time.Duration // one connection
	calm     time.Duration // runs at a low rate
	probe    time.Duration // each step of the search for the sustained rate
	length   time.Duration // of the run at the sustained rate
	idle     time.Duration // until memory is idle
	sessions int           // registered with one logoutd
	pending  int           // requests at a start
	backlog  int           // requests, and users with two sessions and two refresh tokens each
	giant    int           // sessions of one user
	pushes   int           // push registrations
}

// fullSizes are those that the targets name.
var fullSizes = sizes{
	burst: 10 * time.Second, baseline: 4 * time.Second, single: 5 * time.Second, calm: 8 * time.Second,
	probe: 6 * time.Second, length: time.Minute, idle: 5 * time.Second,
	sessions: 1_000_000, pending: 100_000, backlog: 200_000, giant: 100_000, pushes: 40_000,
}

// quickSizes show that everything works; the figures mean little.
var quickSizes = sizes{
	burst: time.Second, baseline: time.Second / 2, single: time.Second, calm: time.Second,
	probe: time.Second, length: 3 * time.Second, idle: time.Second,
	sessions: 20_000, pending: 5_000, backlog: 5_000, giant: 5_000, pushes: 5_000,
}

// suite measures all figures that there are targets for.
type suite struct {
	*bench
	sizes
	rows []row
	peak float64 // answers/s of the burst with 256 connections
	// revocations is the rate at which a backlog is worked off with Redis.
	revocations quantity

	external   *external   // nil: not prepared
	registered *registered // nil: not prepared
}

// Parts of a suite. A later one may use what an earlier one has found out.
const (
	partBurst      = "burst"
	partPush       = "push"
	partExternal   = "external"
	partRegistered = "registered"
)

// Places of rows in the table.
const (
	placeBurst = iota
	placeSustained
	placeExternal
	placeSingle
	placeRevocations
	placePush
	placeRevoked
	placeGiant
	placeMemory
	placeStart
	placeLast
)

// run measures the parts. A measurement that fails becomes a row that says so;
// only the end of ctx ends the suite.
func (s *suite) run(ctx context.Context, parts []string) error {
	defer s.release()
	type measurement struct {
		part, what string
		measure    func(context.Context) error
	}
	for _, m := range []measurement{
		{partBurst, "embedded: memory, bursts, latency", s.embedded},
		{partPush, "push deletions", s.push},
		{"", "registering for what follows", func(ctx context.Context) error { return s.prepareLarge(ctx, parts) }},
		{partExternal, "NATS and Redis as processes of their own", s.measureExternal},
		{partRegistered, "many registered sessions", s.measureRegistered},
	} {
		if m.part != "" && !slices.Contains(parts, m.part) {
			continue
		}
		err := m.measure(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			s.progress.step("%s: %v", m.what, err)
			s.rows = append(s.rows, missing(placeLast, m.what, err.Error()))
		}
	}
	slices.SortStableFunc(s.rows, func(a, b row) int { return a.place - b.place })
	return nil
}

// add adds rows to the report, and shows them.
func (s *suite) add(place int, rows ...row) {
	for _, r := range rows {
		r.place = place
		s.rows = append(s.rows, r)
		s.progress.step("%s: %s %s", r.What, r.Figure, r.verdict())
	}
}

// prepareLarge registers what the large measurements need, for both backends
// at the same time: it takes longer than any measurement.
func (s *suite) prepareLarge(ctx context.Context, parts []string) error {
	var preparing errgroup.Group // what fails takes nothing else along
	if slices.Contains(parts, partExternal) && hasRedis() {
		preparing.Go(func() (err error) {
			s.external, err = s.newExternal(ctx)
			return err
		})
	}
	if slices.Contains(parts, partRegistered) {
		preparing.Go(func() (err error) {
			s.registered, err = s.newRegistered(ctx)
			return err
		})
	}
	return preparing.Wait()
}

// release ends what later parts share.
func (s *suite) release() {
	if s.external != nil {
		s.external.stop()
	}
	if s.registered != nil {
		s.registered.stop()
	}
}
