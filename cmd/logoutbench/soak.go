package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// soakCmd loads a logoutd for a long time.
type soakCmd struct {
	benchFlags
	serverFlags

	Rate     float64       `short:"r" help:"Logouts due a second. Default: half of what is sustained for 15 s." placeholder:"N"`
	Duration time.Duration `short:"d" default:"10m" help:"How long."`
}

const (
	// flatGrowth is how much more memory the last quarter of a soak may take
	// than the second, as a share: the first is for warming up.
	flatGrowth = 0.05
	// sampleEvery is how often the memory is read.
	sampleEvery = time.Second
	// ahead is how long before its logout a session is registered, about.
	ahead = 10 * time.Second
)

// Run loads, with sessions that are registered meanwhile, and judges whether
// the memory stays flat. It fails where it does not, or where answers were
// not good.
func (c *soakCmd) Run(ctx context.Context, p *progress) error {
	b, err := newBench(c.Logoutd, c.DataDir, p)
	if err != nil {
		return err
	}
	defer b.close()
	s, err := c.start(ctx, b, false)
	if err != nil {
		return err
	}
	defer s.stop()
	users := newCrowd()
	if c.Rate == 0 {
		if c.Rate, err = b.halfSustained(ctx, s.system, users); err != nil {
			return err
		}
	}
	p.step("soak at %s logouts/s for %s: registering", grouped(c.Rate), c.Duration)
	if err := b.provide(ctx, s.system, users, int(c.Rate*ahead.Seconds())); err != nil {
		return err
	}
	p.step("soak")
	r, memory, err := c.soak(ctx, b, s, users)
	if err != nil {
		return err
	}
	return c.report(r, memory)
}

// halfSustained returns half of the rate that is sustained for probes, which
// are long enough for a burst to be over.
func (b *bench) halfSustained(ctx context.Context, s *system, users *crowd) (float64, error) {
	const top = 20_000
	rate, _, err := b.search(ctx, s, users, top, 15*time.Second)
	return rate / 2, err
}

// soak runs the load while sessions are registered and memory is read.
func (c *soakCmd) soak(ctx context.Context, b *bench, s opened, users *crowd) (r *result, memory []int64, _ error) {
	t, err := newTarget(s.public, dialects["sap_v1"], users.sessions)
	if err != nil {
		return nil, nil, err
	}
	over, end := context.WithCancel(ctx)
	defer end()
	var running errgroup.Group
	running.Go(func() (err error) {
		defer end()
		r, err = b.load(over, load{
			target: t, next: users.next, connections: calmConnections, duration: c.Duration, rate: c.Rate,
		})
		return err
	})
	running.Go(func() error {
		defer end()
		return c.feed(over, s.system, users)
	})
	running.Go(func() (err error) {
		defer end()
		memory, err = readMemory(over, s.pid)
		return err
	})
	if err := running.Wait(); err != nil {
		return nil, nil, err
	}
	return r, memory, ctx.Err()
}

// feed registers users as fast as they log out, until ctx ends.
func (c *soakCmd) feed(ctx context.Context, s *system, users *crowd) error {
	for pause(ctx, 100*time.Millisecond) == nil {
		missing := int(c.Rate*ahead.Seconds()) - users.left()
		if missing < int(c.Rate/2) {
			continue
		}
		if err := users.register(ctx, s, int(users.registered.Load())+missing, nil); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// readMemory samples the resident memory of a process until ctx ends.
func readMemory(ctx context.Context, pid int) (samples []int64, err error) {
	for pause(ctx, sampleEvery) == nil {
		bytes, err := residentMemory(pid)
		if err != nil {
			return nil, err
		}
		samples = append(samples, bytes)
	}
	return samples, nil
}

// growth returns by how much the mean of the last quarter is above that of
// the second, as a share of it.
func growth(samples []int64) (float64, error) {
	quarter := len(samples) / 4
	if quarter == 0 {
		return 0, errors.New("too short to tell how the memory grows")
	}
	second, last := mean(samples[quarter:2*quarter]), mean(samples[len(samples)-quarter:])
	return last/second - 1, nil
}

func mean(samples []int64) float64 {
	var sum float64
	for _, sample := range samples {
		sum += float64(sample)
	}
	return sum / float64(len(samples))
}

func (c *soakCmd) report(r *result, memory []int64) error {
	grown, err := growth(memory)
	if err != nil {
		return err
	}
	told := namedRun{"soak", r}.summary()
	rows := append(told.cells(),
		[]string{"memory at the end", quantity{Value: float64(memory[len(memory)-1]) / 1e6, Unit: megabytes}.String()},
		[]string{"growth from the second to the last quarter", fmt.Sprintf("%.1f %%, at most %.0f %%", 100*grown, 100*flatGrowth)})
	if err := tell(c.JSON, rows, struct {
		summary
		Memory []int64 `json:"memory_bytes"` // each second
		Growth float64 `json:"memory_growth"`
	}{told, memory, grown}); err != nil {
		return err
	}
	return c.judge(r, grown)
}

// judge reports what speaks against a soak.
func (c *soakCmd) judge(r *result, grown float64) error {
	late := r.behind(c.Rate, c.Duration)
	switch {
	case r.Elapsed < c.Duration-time.Second:
		return fmt.Errorf("no session was left after %s: they are not registered as fast as they log out; give a lower --rate", r.Elapsed.Round(time.Second))
	case grown > flatGrowth:
		return errors.New("the memory grows")
	case r.Bad > 0 || late > sustainedOldest:
		return fmt.Errorf("%d answers were not good, the others %s late at the end", r.Bad, late.Round(time.Millisecond))
	}
	return nil
}
