package broker

import (
	"context"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"

	"github.com/nats-io/nats.go/jetstream"
)

// Clocks are the times of store and broker, read one after the other.
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
	// leastMargin is the precision of times. marginRate allows for clocks of store
	// and broker whose rates differ by a thousandth, far more than real ones do.
	// Longer drifts than maxMargin are corrected by time synchronization.
	leastMargin = time.Millisecond
	marginRate  = 1000
	maxMargin   = 4 * time.Second
)

// Bound returns the latest cutoff, by the store's clock, that an unfenced request
// can have: its own, or else slightly before the broker first had it. It errs on
// the early side.
func (c Clocks) Bound(r messages.Request) events.Time {
	if !r.Cutoff.IsZero() {
		return r.Cutoff
	}
	age := max(c.Broker.Sub(r.AppendedAt.Time), 0)
	margin := min(leastMargin+age/marginRate, maxMargin)
	return events.At(c.Store.Add(-age - margin))
}
