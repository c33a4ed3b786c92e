package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// watchEvery is how often the backlog is read: the broker is asked for it
	// each time, so that reading it costs something.
	watchEvery = 250 * time.Millisecond
	// settleTimeout is how long a backlog may take to be worked off.
	settleTimeout = 5 * time.Minute
)

// backlog is what waits for the workers.
type backlog struct {
	messages float64
	oldest   time.Duration // age of the oldest message
}

func (s *system) backlog(ctx context.Context) (backlog, error) {
	found, err := s.metrics(ctx)
	if err != nil {
		return backlog{}, err
	}
	messages, ok := found.sum("logoutd_backlog_messages")
	if !ok {
		return backlog{}, errNoBacklog
	}
	var oldest float64
	for series, age := range found {
		if len(series) > len(oldestMetric) && series[:len(oldestMetric)] == oldestMetric {
			oldest = max(oldest, age)
		}
	}
	return backlog{messages, time.Duration(oldest * float64(time.Second))}, nil
}

const oldestMetric = "logoutd_backlog_oldest_seconds"

var errNoBacklog = errors.New("the system does not tell its backlog: does it have the role worker?")

// settled waits until all is done that was accepted.
func (s *system) settled(ctx context.Context) error {
	err := eventually(ctx, settleTimeout, func() (bool, error) {
		if pause(ctx, watchEvery/2) != nil {
			return false, ctx.Err()
		}
		b, err := s.backlog(ctx)
		if errors.Is(err, errNoBacklog) { // the worker has not begun
			return false, nil
		}
		return err == nil && b.messages == 0, err
	})
	if err != nil {
		return fmt.Errorf("waiting until the backlog is worked off: %w", err)
	}
	return nil
}

// watch reads the backlog until stop is called, and calls seen each time.
// stop returns the worst that was read.
func (s *system) watch(ctx context.Context, seen func(backlog)) (stop func() backlog) {
	ctx, cancel := context.WithCancel(ctx)
	var worst backlog
	var watching sync.WaitGroup
	watching.Go(func() {
		for pause(ctx, watchEvery) == nil {
			b, err := s.backlog(ctx)
			if err != nil {
				continue // under load an answer may be late; the next one counts
			}
			worst.messages, worst.oldest = max(worst.messages, b.messages), max(worst.oldest, b.oldest)
			if seen != nil {
				seen(b)
			}
		}
	})
	return func() backlog {
		cancel()
		watching.Wait()
		return worst
	}
}

// pause waits for d, or returns the error of ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
