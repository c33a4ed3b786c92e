package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// own starts a server for the logoutd that is started.
const own = "own"

// runCmd loads one deployment once.
type runCmd struct {
	benchFlags

	PublicURL         string        `help:"Public listener of a deployment of yours. Default: start a logoutd." placeholder:"URL"`
	AdminURL          string        `help:"Its admin listener, where sessions are registered with the token in LOGOUTD_ADMIN_TOKEN." placeholder:"URL"`
	NATS              string        `name:"nats" help:"NATS for the logoutd that is started: a URL, or own to start one too. Default: embedded." placeholder:"URL"`
	Redis             string        `help:"Redis for the logoutd that is started: a URL, or own to start one too. Default: embedded SQLite." placeholder:"URL"`
	PushRegistrations int           `help:"Push registrations of each user, at a provider that answers at once. Only sap_v2 deletes them." placeholder:"N"`
	Dialect           string        `enum:"sap_v1,sap_v2,elvis,kratos" default:"sap_v1" help:"The logout API: sap_v1, sap_v2, elvis or kratos."`
	Connections       int           `short:"c" default:"64" help:"Connections."`
	Duration          time.Duration `short:"d" default:"10s" help:"How long to load at most."`
	Count             int           `short:"n" help:"How many logouts at most. Default: as many as the duration allows." placeholder:"N"`
	Rate              float64       `short:"r" help:"Open loop: logouts due a second. Default: closed loop." placeholder:"N"`
	CPUProfile        string        `name:"cpu-profile" help:"Write a CPU profile of logoutd under the load, for go tool pprof." placeholder:"FILE" type:"path"`
}

// Validate refuses what cannot be run.
func (c *runCmd) Validate() error {
	switch {
	case c.Connections < 1 || c.Duration <= 0 || c.Count < 0 || c.Rate < 0 || c.PushRegistrations < 0:
		return errors.New("--connections and --duration must be above 0, --count, --rate and --push-registrations not below")
	case (c.PublicURL == "") != (c.AdminURL == ""):
		return errors.New("give both --public-url and --admin-url, or neither")
	case c.PublicURL == "":
		return nil
	case c.NATS != "" || c.Redis != "" || c.PushRegistrations != 0:
		return errors.New("--nats, --redis and --push-registrations are for a logoutd that is started: leave out --public-url and --admin-url")
	case adminToken() == "":
		return errors.New("set LOGOUTD_ADMIN_TOKEN to the admin token, which registering sessions needs")
	}
	return nil
}

// adminToken is that of a deployment. It has no flag, which ps would show.
func adminToken() string { return strings.TrimSpace(os.Getenv("LOGOUTD_ADMIN_TOKEN")) }

// Run registers sessions, one for each user, logs them out, and prints what
// came of it.
func (c *runCmd) Run(ctx context.Context) error {
	b, err := c.open()
	if err != nil {
		return err
	}
	defer b.close()
	s, pid, err := c.system(ctx, b)
	if err != nil {
		return err
	}
	u := newUsers()
	u.PushRegistrations = c.PushRegistrations
	t, err := newTarget(s.public, dialects[c.Dialect], u.sessions)
	if err != nil {
		return err
	}
	l := load{target: t, next: u.next, connections: c.Connections, duration: c.Duration, rate: c.Rate}
	if err := c.register(ctx, s, u, l); err != nil {
		return err
	}
	progress("%s with %d connections", c.Dialect, c.Connections)
	memory := residentMemory(pid)
	profiled := c.profile(ctx, s)
	r, err := l.run(ctx)
	if err := errors.Join(err, profiled(), ctx.Err()); err != nil {
		return err
	}
	complete, err := completeRate(ctx, s, r)
	if err != nil {
		return err
	}
	rows := []row{
		{What: "answers as they should be", Figure: rate(r.throughput()), Note: fmt.Sprintf("by status: %v, 0 is none", r.Statuses)},
		{What: "latency: p50, p99, max", Figure: percentiles(r, 0.5, 0.99, 1)},
	}
	if !s.shared {
		rows = append(rows, row{What: "complete", Figure: rate(complete)})
	}
	if pid != 0 {
		rows = append(rows, row{What: "memory before and after", Figure: megabytes(memory) + ", " + megabytes(residentMemory(pid))})
	}
	if c.Rate > 0 {
		rows = append(rows, row{What: "due and not sent", Figure: fmt.Sprint(r.Unsent)})
	}
	return report{Rows: rows}.print(os.Stdout, c.JSON)
}

// system returns the deployment that the flags name, started if need be, and
// its process id; 0: it is not ours.
func (c *runCmd) system(ctx context.Context, b *bench) (*system, int, error) {
	if c.PublicURL != "" {
		return &system{public: c.PublicURL, admin: c.AdminURL, token: adminToken(), shared: true}, 0, nil
	}
	o := deployOptions{natsURL: c.NATS, redisURL: c.Redis}
	var err error
	if c.NATS == own {
		if o.natsURL, err = b.nats(ctx); err != nil {
			return nil, 0, err
		}
	}
	if c.Redis == own {
		r, err := b.redis(ctx)
		if err != nil {
			return nil, 0, err
		}
		o.redisURL = r.url
	}
	if c.PushRegistrations > 0 {
		url, err := b.provider(ctx)
		if err != nil {
			return nil, 0, err
		}
		o.settings = pushSettings(url)
	}
	d, err := b.deploy(ctx, o)
	if err != nil {
		return nil, 0, err
	}
	return &d.system, d.process.pid(), nil
}

func (c *runCmd) register(ctx context.Context, s *system, u *users, l load) error {
	progress("registering sessions")
	switch {
	case c.Count > 0:
		return u.provide(ctx, s, c.Count)
	case c.Rate > 0:
		return u.provide(ctx, s, int(c.Rate*c.Duration.Seconds())+1)
	default:
		return warmUp(ctx, s, u, l)
	}
}

// profile begins to write the profile, if one is asked for, and returns what
// waits for its end.
func (c *runCmd) profile(ctx context.Context, s *system) (wait func() error) {
	var profiling errgroup.Group
	if c.CPUProfile != "" {
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
	}
	return profiling.Wait
}

// warmUpRate is how many sessions a second are registered for a warm-up, and
// reserve by how much a warm system may be faster than a fresh one.
const (
	warmUpRate = 40_000
	reserve    = 1.5
)

// warmUp loads a fresh system for a second, and registers as many users as a
// closed loop needs at that speed.
func warmUp(ctx context.Context, s *system, u *users, l load) error {
	length := l.duration
	l.duration = min(time.Second, length)
	if err := u.provide(ctx, s, int(warmUpRate*l.duration.Seconds())); err != nil {
		return err
	}
	r, err := l.run(ctx)
	if err != nil {
		return fmt.Errorf("warming up: %w", err)
	}
	return u.provide(ctx, s, int(r.throughput()*reserve*length.Seconds()))
}

// completeRate waits until everything that a run had accepted is revoked, and
// returns how many logouts a second that makes from the run's begin.
func completeRate(ctx context.Context, s *system, r *result) (float64, error) {
	ended := time.Now()
	if err := s.settled(ctx); err != nil {
		return 0, err
	}
	return float64(r.Good) / (r.Elapsed + time.Since(ended)).Seconds(), nil
}
