package deadletters

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

// settleStep is how often Settled asks the broker again.
const settleStep = time.Second

// Settled returns once everything that is on the stream at the time of the
// call is in the projection, and what was removed before is not. It waits for
// Run, as long as ctx lasts; the error of a broker that cannot be asked wraps
// [events.ErrUnavailable].
func (l *Letters) Settled(ctx context.Context) error {
	stream, err := l.config.JetStream.Stream(ctx, messages.StreamFailed)
	if err != nil {
		return broker.Unavailable("finding dead letters", err)
	}
	target, err := lastOf(ctx, stream)
	if err != nil {
		return err
	}
	for {
		moved := l.state.wait()
		at, _, _ := l.state.now()
		if l.state.progress().Ready && at.seq >= target {
			if err := l.check(ctx, stream); !errors.Is(err, errAnew) {
				return err
			}
		}
		if at.created != stream.CachedInfo().Created.UnixNano() {
			l.nudge()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the projection of dead letters: %w", ctx.Err())
		case <-moved:
			continue
		case <-time.After(settleStep):
		}
		last, err := lastOf(ctx, stream)
		if err != nil {
			return err
		}
		target = min(target, last) // the message that it was may be gone
	}
}
