package broker

import (
	"context"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"

	"github.com/nats-io/nats.go/jetstream"
)

// Clocks are the times that store and broker showed, the store first.
type Clocks struct{ Store, Broker time.Time }

// ReadClocks reads both clocks: the broker's is that of the stream's leader.
func ReadClocks(
	ctx context.Context, stream jetstream.Stream, store func(context.Context) (time.Time, error),
) (c Clocks, err error) {
	if c.Store, err = store(ctx); err != nil {
		return c, err
	}
	info, err := stream.Info(ctx)
	if err != nil {
		return c, Unavailable("reading the broker's clock", err)
	}
	c.Broker = info.TimeStamp
	return c, nil
}

const (
	// leastMargin is the precision of times. The clocks of store and broker may
	// run at rates that differ by a thousandth, far more than real ones do;
	// beyond maxMargin they are set right by then.
	leastMargin = time.Millisecond
	marginRate  = 1000
	maxMargin   = 4 * time.Second
)

// Bound is the latest cutoff, by the store's clock, that a request may have
// which is not fenced: what it brings, or else a little less than the time
// when the broker first had it. It is early rather than late.
func (c Clocks) Bound(r messages.Request) events.Time {
	if !r.Cutoff.IsZero() {
		return r.Cutoff
	}
	age := max(c.Broker.Sub(r.AppendedAt.Time), 0)
	margin := min(leastMargin+age/marginRate, maxMargin)
	return events.At(c.Store.Add(-age - margin))
}
