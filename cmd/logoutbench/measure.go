package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/workers/targets/http"
	"go.yaml.in/yaml/v2"
)

// calmConnections is enough for runs at a low rate.
const calmConnections = 64

// burst loads a deployment in a closed loop of SAP v1, beside bare, and waits
// until everything is revoked.
func (s *suite) burst(ctx context.Context, name string, d *deployment, u *users, connections int) (r *result, err error) {
	progress("burst, %s, %d connections", name, connections)
	t, err := newTarget(d.public, dialects["sap_v1"], u.sessions)
	if err != nil {
		return nil, err
	}
	l := load{target: t, next: u.next, connections: connections, duration: s.sizes.burst}
	if err := warmUp(ctx, &d.system, u, l); err != nil {
		return nil, err
	}
	var complete float64
	bare, err := between(
		func() (*result, error) { return runBare(ctx, connections, s.baseline) },
		func() (err error) {
			if r, err = l.run(ctx); err != nil {
				return err
			}
			complete, err = completeRate(ctx, &d.system, r)
			return err
		})
	if err != nil {
		return nil, err
	}
	of := fmt.Sprintf("%s, %d connections", name, connections)
	answered := rateOf("burst, "+of, r.throughput(), bare, "bare")
	answered.Note = fmt.Sprintf("p50, p99: %s; %d answers other than 204", percentiles(r, 0.5, 0.99), r.Bad)
	s.add(rateOf("complete, "+of, complete, bare, "bare"), answered)
	return r, nil
}

// oneConnection measures the latency of one connection, beside the disk's.
func (s *suite) oneConnection(ctx context.Context, d *deployment, u *users) error {
	t, err := newTarget(d.public, dialects["sap_v1"], u.sessions)
	if err != nil {
		return err
	}
	l := load{target: t, next: u.next, connections: 1, duration: s.calm}
	if err := warmUp(ctx, &d.system, u, l); err != nil {
		return err
	}
	fsync, err := measureFsync(d.dir)
	if err != nil {
		return err
	}
	r, err := l.run(ctx)
	if err != nil {
		return err
	}
	p50 := r.Latency.quantile(0.5)
	s.add(row{
		What: "one connection, embedded: p50", Figure: milliseconds(p50),
		Baseline: milliseconds(fsync) + " fsync", Ratio: p50.Seconds() / fsync.Seconds(),
	})
	return d.settled(ctx)
}

// openLoops measures the latency at constant rates.
func (s *suite) openLoops(ctx context.Context, name string, d *deployment, u *users) error {
	for _, perSecond := range []float64{2_000, 5_000} {
		r, err := s.calmRun(ctx, d, u, perSecond, nil)
		if err != nil {
			return err
		}
		s.add(row{
			What:   fmt.Sprintf("open loop, %s, %s: p50, p99", name, rate(perSecond)),
			Figure: percentiles(r, 0.5, 0.99), Note: fmt.Sprintf("%d answers other than 204, %d unsent", r.Bad, r.Unsent),
		})
	}
	return nil
}

// calmRun logs users out at a constant rate, with SAP v1.
func (s *suite) calmRun(ctx context.Context, d *deployment, u *users, perSecond float64, answered func(int, time.Time)) (*result, error) {
	if err := u.provide(ctx, &d.system, int(perSecond*s.calm.Seconds())); err != nil {
		return nil, err
	}
	t, err := newTarget(d.public, dialects["sap_v1"], u.sessions)
	if err != nil {
		return nil, err
	}
	return load{
		target: t, next: u.next, connections: calmConnections, duration: s.calm, rate: perSecond, answered: answered,
	}.run(ctx)
}

// revoked measures the time from the 2xx to the public event.
func (s *suite) revoked(ctx context.Context, d *deployment, u *users, perSecond float64) error {
	if err := u.provide(ctx, &d.system, int(perSecond*s.calm.Seconds())); err != nil {
		return err
	}
	var mu sync.Mutex
	answers, told := map[string]time.Time{}, map[string]time.Time{}
	stop, err := d.follow(ctx, func(requestID string, at time.Time) {
		mu.Lock()
		defer mu.Unlock()
		told[requestID] = at
	})
	if err != nil {
		return err
	}
	r, err := s.calmRun(ctx, d, u, perSecond, func(session int, at time.Time) {
		id := messages.RequestID(string(dialects["sap_v1"].scope), u.sessionID(session))
		mu.Lock()
		defer mu.Unlock()
		answers[id] = at
	})
	if err != nil {
		return err
	}
	err = eventually(ctx, settleTimeout, func() (bool, error) {
		mu.Lock()
		defer mu.Unlock()
		return len(told) >= len(answers), nil
	})
	if err != nil {
		return fmt.Errorf("waiting for public events: %w", err)
	}
	if err := stop(); err != nil {
		return err
	}
	var took histogram
	for id, at := range answers {
		took.add(told[id].Sub(at)) // an event that overtook its answer took no time
	}
	s.add(row{
		What: "from 2xx to fully revoked: p50, p99", Note: "at " + rate(r.throughput()),
		Figure: milliseconds(took.quantile(0.5)) + ", " + milliseconds(took.quantile(0.99)),
	})
	return nil
}

// giantUser measures the logout of a user with very many sessions, until the
// public event.
func (s *suite) giantUser(ctx context.Context, d *deployment, r *redisServer) error {
	giant := newUsers()
	giant.Sessions = s.giant
	if err := r.unsynced(ctx, func() error { return giant.provide(ctx, &d.system, 1) }); err != nil {
		return err
	}
	request := messages.RequestID(string(dialects["sap_v2"].scope), giant.sessionID(0))
	var done atomic.Int64
	stop, err := d.follow(ctx, func(id string, at time.Time) {
		if id == request {
			done.Store(at.UnixNano())
		}
	})
	if err != nil {
		return err
	}
	t, err := newTarget(d.public, dialects["sap_v2"], giant.sessions)
	if err != nil {
		return err
	}
	begin := time.Now()
	if _, err := (load{target: t, next: giant.next, connections: 1, duration: time.Minute}).run(ctx); err != nil {
		return err
	}
	if err := eventually(ctx, settleTimeout, func() (bool, error) { return done.Load() != 0, nil }); err != nil {
		return fmt.Errorf("waiting for the event of a user with many sessions: %w", err)
	}
	s.add(row{
		What:   fmt.Sprintf("logout of a user with %s sessions, Redis", grouped(float64(s.giant))),
		Figure: fmt.Sprintf("%.2f s", time.Unix(0, done.Load()).Sub(begin).Seconds()),
	})
	return stop()
}

// workOff measures how fast a backlog of SAP v2 is worked off, beside inline.
func (s *suite) workOff(ctx context.Context, d *deployment, nats string, r *redisServer) error {
	u := newUsers()
	u.Sessions, u.RefreshTokens = 2, 2
	if err := r.unsynced(ctx, func() error { return u.provide(ctx, &d.system, s.backlog) }); err != nil {
		return err
	}
	var took time.Duration
	inline, err := between(
		func() (*result, error) { return runInline(ctx, r, "sap_v2", u, 256, s.baseline) },
		func() error {
			d.stop()
			if err := leavePending(ctx, nats, u, s.backlog); err != nil {
				return err
			}
			if err := d.start(ctx); err != nil {
				return err
			}
			begin := time.Now()
			err := d.settled(ctx)
			took = time.Since(begin)
			return err
		})
	if err != nil {
		return err
	}
	s.add(rateOf(backlogName(s.backlog), float64(s.backlog)/took.Seconds(), inline, "inline"))
	return nil
}

const (
	// pushesPerUser is how many push registrations a user has.
	pushesPerUser = 50
	// pushLoops is how many deletions logoutd has under way at once.
	pushLoops = 32
)

// push measures how fast push registrations are deleted at a provider that
// answers at once, beside loops that do nothing else.
func (s *suite) push(ctx context.Context) error {
	url, err := s.provider(ctx)
	if err != nil {
		return err
	}
	d, err := s.deploy(ctx, deployOptions{settings: pushSettings(url)})
	if err != nil {
		return err
	}
	u := newUsers()
	u.PushRegistrations = pushesPerUser
	if err := u.provide(ctx, &d.system, s.pushes/pushesPerUser); err != nil {
		return err
	}
	t, err := newTarget(d.public, dialects["sap_v2"], u.sessions)
	if err != nil {
		return err
	}
	var took time.Duration
	bare, err := between(
		func() (*result, error) { return s.pushLoop(ctx, url) },
		func() error {
			begin := time.Now()
			_, err := load{target: t, next: u.next, connections: calmConnections, duration: time.Minute}.run(ctx)
			if err == nil {
				err = d.reach(ctx, float64(s.pushes), "logoutd_attempts_total", `step="http"`, `outcome="ok"`)
			}
			took = time.Since(begin)
			return err
		})
	if err != nil {
		return err
	}
	s.add(rateOf("push registrations deleted", float64(s.pushes)/took.Seconds(), bare, "bare loop"))
	return nil
}

// pushLoop calls the provider with logoutd's own client, in loops that do
// nothing else.
func (s *suite) pushLoop(ctx context.Context, url string) (*result, error) {
	_, target, err := http.Kind.Configure(func(settings any) error {
		return yaml.Unmarshal([]byte(fmt.Sprintf("{name: %s, kind: http, url: %q}", pushProvider, url)), settings)
	})
	if err != nil {
		return nil, err
	}
	r := &recorder{start: time.Now()}
	var number atomic.Int64
	var looping sync.WaitGroup
	for range pushLoops {
		looping.Go(func() {
			for now := r.start; ctx.Err() == nil && now.Sub(r.start) < s.baseline; {
				d := messages.Delivery{Payload: fmt.Appendf(nil, `{"push_token":"%d"}`, number.Add(1))}
				begin := now
				err := target.Send(ctx, d)
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
