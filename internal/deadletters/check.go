package deadletters

import (
	"context"
	"errors"
	"fmt"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/nats-io/nats.go/jetstream"
	"zombiezen.com/go/sqlite"
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
		return broker.Unavailable("comparing dead letters", err)
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
		return broker.Unavailable("comparing dead letters", err)
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
	return read(ctx, l, func(conn *sqlite.Conn) ([]uint64, error) {
		return all(conn, func(row *sqlite.Stmt) uint64 { return uint64(row.ColumnInt64(0)) },
			`SELECT seq FROM dead_letters WHERE seq < ?`, seq)
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
	info, err := stream.Info(ctx)
	if err != nil {
		return 0, broker.Unavailable("finding the last dead letter", err)
	}
	last := info.State.LastSeq
	if info.State.Msgs == 0 {
		return 0, nil
	}
	if _, err = stream.GetMsg(ctx, last); errors.Is(err, jetstream.ErrMsgNotFound) {
		return lastLeft(ctx, stream)
	}
	if err != nil {
		return 0, broker.Unavailable("finding the last dead letter", err)
	}
	return last, nil
}

// lastLeft is lastOf a stream whose last message was removed. The broker walks
// through all subjects for it.
func lastLeft(ctx context.Context, stream jetstream.Stream) (uint64, error) {
	msg, err := stream.GetLastMsgForSubject(ctx, stream.CachedInfo().Config.Subjects[0])
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, broker.Unavailable("finding the last dead letter", err)
	}
	return msg.Sequence, nil
}
