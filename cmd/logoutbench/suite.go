package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"
)

// suiteCmd measures logoutd beside its baselines.
type suiteCmd struct {
	benchFlags

	Quick    bool     `help:"Small and short, in about a minute, to see that everything works. The figures mean little."`
	Only     []string `enum:"embedded,push,external" default:"embedded,push,external" help:"Parts to measure: embedded, push, external (NATS and Redis)."`
	Markdown string   `help:"Write the report into a document, between its marks." placeholder:"FILE" type:"path"`
}

// sizes are how long and large the measurements of a suite are.
type sizes struct {
	burst    time.Duration
	baseline time.Duration // each run of a baseline; there are two around each figure
	calm     time.Duration // runs at a low rate, and of one connection
	backlog  int           // users with two sessions and two refresh tokens each
	giant    int           // sessions of one user
	pushes   int           // push registrations
}

var (
	fullSizes  = sizes{10 * time.Second, 4 * time.Second, 8 * time.Second, 100_000, 100_000, 40_000}
	quickSizes = sizes{time.Second, time.Second / 2, time.Second, 5_000, 5_000, 5_000}
)

// suite measures one part after the other.
type suite struct {
	*bench
	sizes
	rows []row
}

// Run measures and reports. A part that fails becomes a row that says so.
func (c *suiteCmd) Run(ctx context.Context) error {
	b, err := c.open()
	if err != nil {
		return err
	}
	defer b.close()
	rep := report{Began: time.Now().UTC().Truncate(time.Second)}
	if rep.Machine, err = describeMachine(ctx, c.Logoutd, b.dir); err != nil {
		return err
	}
	s := &suite{bench: b, sizes: fullSizes}
	if c.Quick {
		s.sizes = quickSizes
	}
	for _, part := range []struct {
		name    string
		measure func(context.Context) error
	}{{"embedded", s.embedded}, {"push", s.push}, {"external", s.external}} {
		if !slices.Contains(c.Only, part.name) {
			continue
		}
		err := part.measure(ctx)
		s.stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			s.add(row{What: part.name, Figure: "not measured", Note: err.Error()})
		}
	}
	rep.Rows, rep.Seconds = s.rows, time.Since(rep.Began).Seconds()
	if c.Markdown != "" {
		if err := rep.writeMarkdown(c.Markdown); err != nil {
			return err
		}
	}
	return rep.print(os.Stdout, c.JSON)
}

// add adds rows to the report, and shows them.
func (s *suite) add(rows ...row) {
	for _, r := range rows {
		s.rows = append(s.rows, r)
		progress("%s: %s %.2f", r.What, r.Figure, r.Ratio)
	}
}

// embedded measures a fresh logoutd with all defaults.
func (s *suite) embedded(ctx context.Context) error {
	d, err := s.deploy(ctx, deployOptions{})
	if err != nil {
		return err
	}
	if err := pause(ctx, 5*time.Second); err != nil {
		return err
	}
	s.add(row{What: "memory, idle", Figure: megabytes(residentMemory(d.process.pid()))})
	u := newUsers()
	burst, err := s.burst(ctx, "embedded", d, u, 256)
	if err != nil {
		return err
	}
	if _, err := s.burst(ctx, "embedded", d, u, 64); err != nil {
		return err
	}
	if err := s.oneConnection(ctx, d, u); err != nil {
		return err
	}
	if err := s.openLoops(ctx, "embedded", d, u); err != nil {
		return err
	}
	return s.revoked(ctx, d, u, burst.throughput()/10)
}

// external measures a logoutd with NATS and Redis as processes of their own.
func (s *suite) external(ctx context.Context) error {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return errNoRedis
	}
	nats, err := s.nats(ctx)
	if err != nil {
		return err
	}
	redis, err := s.redis(ctx)
	if err != nil {
		return err
	}
	d, err := s.deploy(ctx, deployOptions{natsURL: nats, redisURL: redis.url})
	if err != nil {
		return err
	}
	u := newUsers()
	var burst *result
	inline, err := between(
		func() (*result, error) { return runInline(ctx, redis, "sap_v1", u, 256, s.baseline) },
		func() (err error) {
			burst, err = s.burst(ctx, "NATS and Redis", d, u, 256)
			return err
		})
	if err != nil {
		return err
	}
	s.add(rateOf("burst, NATS and Redis, 256 connections", burst.throughput(), inline, "inline"))
	if err := s.openLoops(ctx, "NATS and Redis", d, u); err != nil {
		return err
	}
	if err := s.giantUser(ctx, d, redis); err != nil {
		return err
	}
	return s.workOff(ctx, d, nats, redis)
}

func backlogName(n int) string {
	return fmt.Sprintf("backlog of %s SAP v2 logouts, Redis", grouped(float64(n)))
}
