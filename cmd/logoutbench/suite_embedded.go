package main

import (
	"context"
	"time"
)

// embedded measures a fresh logoutd with all defaults.
func (s *suite) embedded(ctx context.Context) error {
	d, err := s.deploy(ctx, deployOptions{})
	if err != nil {
		return err
	}
	defer d.stop()
	c := newCrowd()
	for _, measure := range []func(context.Context, *deployment, *crowd) error{
		s.memory, s.burst256, s.burst64, s.single, s.revoked,
	} {
		if err := measure(ctx, d, c); err != nil {
			return err
		}
	}
	return nil
}

// memory measures a process that has just started.
func (s *suite) memory(ctx context.Context, d *deployment, _ *crowd) error {
	s.progress.step("memory of an idle process")
	if err := pause(ctx, s.idle); err != nil {
		return err
	}
	bytes, err := residentMemory(d.child.pid())
	if err != nil {
		s.rows = append(s.rows, missing(placeMemory, "memory, idle", err.Error()))
		return nil
	}
	s.add(placeMemory, atMost("memory, idle", quantity{Value: float64(bytes) / 1e6, Unit: megabytes}, 60))
	return nil
}

// burstRun loads a deployment in a closed loop of sap_v1 and returns how long
// the backlog took afterwards.
func (s *suite) burstRun(ctx context.Context, name string, d *deployment, c *crowd, connections int) (r *result, drained time.Duration, err error) {
	s.progress.step("%s, %d connections: registering and warming up", name, connections)
	t, err := newTarget(d.public, dialects["sap_v1"], c.sessions)
	if err != nil {
		return nil, 0, err
	}
	l := load{target: t, next: c.next, connections: connections, duration: s.burst}
	if err := s.prepare(ctx, &d.system, c, l); err != nil {
		return nil, 0, err
	}
	s.progress.step("%s, %d connections", name, connections)
	if r, err = s.load(ctx, l); err != nil {
		return nil, 0, err
	}
	ended := time.Now()
	err = d.settled(ctx)
	return r, time.Since(ended), err
}

func (s *suite) burst256(ctx context.Context, d *deployment, c *crowd) error {
	const connections = 256
	var r *result
	var drained time.Duration
	bare, err := between(
		func() (*result, error) { return s.bare(ctx, connections, s.baseline) },
		func() (err error) {
			r, drained, err = s.burstRun(ctx, "burst, embedded", d, c, connections)
			return err
		})
	if err != nil {
		return err
	}
	s.peak = r.throughput()
	s.keep("bare", bare)
	s.keep("logoutd, embedded", r)
	const what = "burst, embedded, 256 connections"
	s.add(placeBurst,
		ratioAtLeast(what, rateOf(r), rateOf(bare).of("bare"), 0.42),
		ratioAtMost(what+": p99", inMillis(r.Latency.quantile(0.99)), inMillis(bare.Latency.quantile(0.99)).of("bare"), 3),
		atMost(what+": answers other than 204", quantity{Value: float64(r.Bad)}, 0),
		ratioAtMost(what+": backlog drained after", inSeconds(drained), inSeconds(r.Elapsed).of("burst"), 2),
	)
	return nil
}

func (s *suite) burst64(ctx context.Context, d *deployment, c *crowd) error {
	const connections = 64
	var r *result
	bare, err := between(
		func() (*result, error) { return s.bare(ctx, connections, s.baseline) },
		func() (err error) {
			r, _, err = s.burstRun(ctx, "burst, embedded", d, c, connections)
			return err
		})
	if err != nil {
		return err
	}
	s.add(placeBurst, ratioAtLeast("burst, embedded, 64 connections", rateOf(r), rateOf(bare).of("bare"), 0.28))
	return nil
}

// single measures the latency of one connection, against the disk's.
func (s *suite) single(ctx context.Context, d *deployment, c *crowd) error {
	before, err := measureFsync(d.dir)
	if err != nil {
		return err
	}
	r, _, err := s.burstRun(ctx, "latency, embedded", d, c, 1)
	if err != nil {
		return err
	}
	after, err := measureFsync(d.dir)
	if err != nil {
		return err
	}
	fsync := (before + after) / 2
	line := ratioRow("one connection, embedded: p50", inMillis(r.Latency.quantile(0.5)), inMillis(fsync).of("fsync"))
	line.Target = "≤ 3 × + 0.2 ms"
	line.Reached = line.Figure.Value <= 3*line.Baseline.Value+0.2
	s.add(placeSingle, line)
	return nil
}
