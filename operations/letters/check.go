package letters

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
)

// check compares the projection with the stream, and takes out what is not
// there any more. errAnew: it had better begin anew.
func (l *Letters) check(ctx context.Context, stream jetstream.Stream) error {
	if l.damaged.Load() {
		return fmt.Errorf("%w: it is damaged", errAnew)
	}
	at, held, left := l.state.now()
	info, err := stream.Info(ctx)
	if err != nil {
		return unavailable("comparing dead letters", err)
	}
	switch there := info.State.Msgs; {
	case !at.of(info):
		return errAnew
	case held > there && held-there > there+many:
		return fmt.Errorf("%w: %d of %d letters are gone", errAnew, held-there, held)
	case held > there:
		if err := l.findGone(ctx, stream); err != nil {
			return err
		}
	}
	if left == 0 {
		return nil
	}
	return l.findEnd(ctx, stream)
}

// findGone takes out what the stream has had and does not have any more.
func (l *Letters) findGone(ctx context.Context, stream jetstream.Stream) error {
	info, err := stream.Info(ctx, jetstream.WithDeletedDetails(true))
	if err != nil {
		return unavailable("comparing dead letters", err)
	}
	l.state.forget(info.State.Deleted)
	early, err := l.before(ctx, info.State.FirstSeq)
	if err != nil {
		return err
	}
	l.state.forget(early)
	return l.flush(ctx)
}

// before returns the messages before a place.
func (l *Letters) before(ctx context.Context, seq uint64) ([]uint64, error) {
	return query(ctx, l, func(tx *sql.Tx) ([]uint64, error) {
		return all(ctx, tx, func(rows *sql.Rows) (seq uint64, err error) { return seq, rows.Scan(&seq) },
			`SELECT seq FROM letters WHERE seq < ?1 UNION ALL SELECT seq FROM strays WHERE seq < ?1`, int64(seq))
	})
}

// findEnd notes that nothing is left where what was left has been removed
// before it came.
func (l *Letters) findEnd(ctx context.Context, stream jetstream.Stream) error {
	last, err := lastOf(ctx, stream)
	if err != nil {
		return err
	}
	l.state.change(func() {
		if l.state.place.seq >= last {
			l.state.left = 0
		}
	})
	return nil
}

// lastOf returns the place of the last message that there is; 0: none.
func lastOf(ctx context.Context, stream jetstream.Stream) (uint64, error) {
	msg, err := stream.GetLastMsgForSubject(ctx, stream.CachedInfo().Config.Subjects[0])
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, unavailable("finding the last dead letter", err)
	}
	return msg.Sequence, nil
}

// settleStep is how often Settled asks the broker again.
const settleStep = 50 * time.Millisecond

// Settled returns once everything that is on the stream at the time of the
// call is in the projection, and what was removed before is not. It waits for
// Run, as long as ctx lasts; the error of a broker that cannot be asked wraps
// [events.ErrUnavailable].
func (l *Letters) Settled(ctx context.Context) error {
	stream, err := l.config.JetStream.Stream(ctx, events.StreamFailed)
	if err != nil {
		return unavailable("finding dead letters", err)
	}
	target, err := lastOf(ctx, stream)
	if err != nil {
		return err
	}
	for {
		moved := l.state.wait()
		settled, err := l.settled(ctx, stream, target)
		if err != nil || settled {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the projection of dead letters: %w", ctx.Err())
		case <-moved:
		case <-time.After(settleStep):
		}
		if last, err := lastOf(ctx, stream); err == nil {
			target = min(target, last) // the one it was may be gone
		}
	}
}

// settled reports whether the projection has got to the target and agrees with
// the stream.
func (l *Letters) settled(ctx context.Context, stream jetstream.Stream, target uint64) (bool, error) {
	at, _, _ := l.state.now()
	if l.state.progress().Ready && at.seq >= target {
		err := l.check(ctx, stream)
		if !errors.Is(err, errAnew) {
			return err == nil, err
		}
	}
	l.nudge()
	return false, nil
}
