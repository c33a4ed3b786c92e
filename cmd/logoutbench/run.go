package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"
)

// runCmd loads one deployment once.
type runCmd struct {
	benchFlags
	systemFlags

	Dialect     string        `enum:"sap_v1,sap_v2,elvis,kratos" default:"sap_v1" help:"The logout API: sap_v1, sap_v2, elvis or kratos."`
	Connections int           `short:"c" default:"64" help:"Connections."`
	Duration    time.Duration `short:"d" default:"10s" help:"How long to load at most."`
	Count       int           `short:"n" help:"How many logouts at most. Default: as many as the duration allows." placeholder:"N"`
	Rate        float64       `short:"r" help:"Open loop: logouts due a second. Default: closed loop." placeholder:"N"`
	SVG         string        `name:"svg" help:"Draw latency and throughput as a picture." placeholder:"FILE" type:"path"`
	CPUProfile  string        `name:"cpu-profile" help:"Write a CPU profile of logoutd under the load, for go tool pprof." placeholder:"FILE" type:"path"`
}

// Validate refuses what cannot be run.
func (c *runCmd) Validate() error {
	if c.Connections < 1 || c.Duration <= 0 || c.Count < 0 || c.Rate < 0 || c.PushRegistrations < 0 {
		return errors.New("--connections and --duration must be above 0, --count, --rate and --push-registrations not below")
	}
	return c.systemFlags.Validate()
}

// Run registers sessions, one for each user, logs them out, and prints what
// came of it.
func (c *runCmd) Run(ctx context.Context, p *progress) error {
	b, err := newBench(c.Logoutd, c.DataDir, p)
	if err != nil {
		return err
	}
	defer b.close()
	s, err := c.open(ctx, b)
	if err != nil {
		return err
	}
	defer s.stop()
	r, err := c.load(ctx, b, s.system)
	if err != nil {
		return err
	}
	told := namedRun{"logoutd, " + c.Dialect, r}.summary()
	if !b.foreign {
		ended := time.Now()
		if err := s.settled(ctx); err != nil {
			return err
		}
		told.Drained = time.Since(ended).Seconds()
	}
	return c.report(r, told)
}

func (c *runCmd) load(ctx context.Context, b *bench, s *system) (*result, error) {
	users := newCrowd()
	users.PushRegistrations = c.PushRegistrations
	t, err := newTarget(s.public, dialects[c.Dialect], users.sessions)
	if err != nil {
		return nil, err
	}
	l := load{target: t, next: users.next, connections: c.Connections, duration: c.Duration, rate: c.Rate}
	b.progress.step("registering sessions")
	switch {
	case c.Count > 0:
		err = b.provide(ctx, s, users, c.Count)
	case c.Rate > 0:
		err = b.provide(ctx, s, users, int(c.Rate*c.Duration.Seconds())+1)
	default:
		err = b.prepare(ctx, s, users, l)
	}
	if err != nil {
		return nil, err
	}
	b.progress.step("%s with %d connections", c.Dialect, c.Connections)
	profiled := c.profile(ctx, s)
	r, err := b.load(ctx, l)
	return r, errors.Join(err, profiled(), ctx.Err())
}

// profile begins to write the profile, if one is asked for, and returns what
// waits for its end.
func (c *runCmd) profile(ctx context.Context, s *system) (wait func() error) {
	if c.CPUProfile == "" {
		return func() error { return nil }
	}
	var profiling errgroup.Group
	profiling.Go(func() error {
		seconds := int(min(max(c.Duration, time.Second), time.Minute).Seconds())
		body, err := s.call(ctx, "GET", fmt.Sprintf("/v1/profile?seconds=%d", seconds), nil)
		if err != nil {
			return fmt.Errorf("profiling: %w", err)
		}
		defer body.Close()
		profile, err := io.ReadAll(body)
		if err != nil {
			return fmt.Errorf("profiling: %w", err)
		}
		return writeFile(c.CPUProfile, profile)
	})
	return profiling.Wait
}

func (c *runCmd) report(r *result, told summary) error {
	if c.SVG != "" {
		picture, err := draw([]namedRun{{told.Name, r}})
		if err != nil {
			return err
		}
		if err := writeFile(c.SVG, picture); err != nil {
			return err
		}
	}
	return tell(c.JSON, told.cells(), told)
}
