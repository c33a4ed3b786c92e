package main

import (
	"context"
	"time"
)

// bare runs the baseline bare.
func (b *bench) bare(ctx context.Context, connections int, duration time.Duration) (*result, error) {
	b.progress.step("bare, %d connections", connections)
	server, url, err := startSelf(ctx, "bare")
	if err != nil {
		return nil, err
	}
	defer server.stop()
	t, err := newTarget(url, dialects["sap_v1"], newCrowd().sessions)
	if err != nil {
		return nil, err
	}
	return b.load(ctx, load{target: t, next: endless(), connections: connections, duration: duration})
}

// inlineUsers is how many users a second are registered for a run of the
// baseline inline.
const inlineUsers = 15_000

// inline runs the baseline inline, in a dialect, with users as they are in a
// crowd.
func (b *bench) inline(ctx context.Context, r *redisServer, dialectName string, like *crowd, connections int, duration time.Duration) (*result, error) {
	b.progress.step("inline, %s, %d connections", dialectName, connections)
	server, url, err := startSelf(ctx, "inline", "--redis", r.client.Options().Addr)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	c := newCrowd()
	c.Sessions, c.RefreshTokens = like.Sessions, like.RefreshTokens
	if err := c.registerInline(ctx, r.client, int(inlineUsers*duration.Seconds())); err != nil {
		return nil, err
	}
	t, err := newTarget(url, dialects[dialectName], c.sessions)
	if err != nil {
		return nil, err
	}
	return b.load(ctx, load{target: t, next: c.next, connections: connections, duration: duration})
}

// between runs a measurement between two runs of its baseline: what the
// machine does otherwise meets both alike.
func between(baseline func() (*result, error), measure func() error) (*result, error) {
	before, err := baseline()
	if err != nil {
		return nil, err
	}
	if err := measure(); err != nil {
		return nil, err
	}
	after, err := baseline()
	if err != nil {
		return nil, err
	}
	return before.and(after), nil
}

// and returns two runs as one.
func (r *result) and(other *result) *result {
	sum := &result{
		Connections: r.Connections, Rate: r.Rate, Slot: r.Slot, Latency: &histogram{},
		Elapsed: r.Elapsed + other.Elapsed, Unsent: r.Unsent + other.Unsent,
		Good: r.Good + other.Good, Bad: r.Bad + other.Bad, Statuses: map[int]uint64{},
	}
	for _, part := range []*result{r, other} {
		sum.Latency.merge(part.Latency)
		sum.Slots = append(sum.Slots, part.Slots...)
		for status, n := range part.Statuses {
			sum.Statuses[status] += n
		}
	}
	return sum
}
