package deliveries

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

const (
	// movedTogether is how many deliveries are published in one atomic batch.
	movedTogether = 256
	// moveFor is how long one call of [Move] begins new batches: half of what a
	// call of the admin API may take.
	moveFor = 5 * time.Second
)

// ErrMore says that more deliveries wait than were confirmed.
var ErrMore = errors.New("more deliveries wait than were confirmed")

// queue is what waits for one target.
type queue struct {
	stream jetstream.Stream
	target messages.TargetName
}

func open(ctx context.Context, js jetstream.JetStream, target messages.TargetName) (*queue, error) {
	stream, err := js.Stream(ctx, messages.StreamTasks)
	if err != nil {
		return nil, broker.Unavailable("reading deliveries", err)
	}
	return &queue{stream, target}, nil
}

func (q *queue) subject() string { return messages.SubjectTask(q.target.Kind, q.target.Name) }

// pending returns how many deliveries are not done, and the sequence up to which
// all are.
func (q *queue) pending(ctx context.Context) (pending int, done uint64, err error) {
	consumer, err := q.stream.Consumer(ctx, messages.ConsumerTarget(q.target.Kind, q.target.Name))
	if err == nil {
		info := consumer.CachedInfo()
		return int(info.NumPending) + info.NumAckPending, info.AckFloor.Stream, nil
	}
	if !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return 0, 0, broker.Unavailable("reading deliveries", err)
	}
	info, err := q.stream.Info(ctx, jetstream.WithSubjectFilter(q.subject()))
	if err != nil {
		return 0, 0, broker.Unavailable("reading deliveries", err)
	}
	return int(info.State.Subjects[q.subject()]), 0, nil
}

// Discard removes the deliveries that wait for a target and returns how many
// there were. It removes none and returns [ErrMore] if there are more than
// confirmed. Other errors wrap [broker.ErrUnavailable].
func Discard(ctx context.Context, js jetstream.JetStream, target messages.TargetName, confirmed int) (int, error) {
	q, err := open(ctx, js, target)
	if err != nil {
		return 0, err
	}
	last := q.stream.CachedInfo().State.LastSeq
	pending, _, err := q.pending(ctx)
	if err != nil || pending == 0 {
		return 0, err
	}
	if pending > confirmed {
		return 0, ErrMore
	}
	// What comes after the count is not purged.
	err = q.stream.Purge(ctx, jetstream.WithPurgeSubject(q.subject()), jetstream.WithPurgeSequence(last+1))
	if err != nil {
		return 0, broker.Unavailable("discarding deliveries", err)
	}
	return pending, nil
}

// Move publishes the deliveries that wait for a target again, for the target of
// the same name of another kind, and then removes them. It returns how many it
// moved, and whether it ran out of time before the last. After a crash in
// between, moving them again publishes under the same message ids, which the
// broker drops for two minutes; after that, deliveries are made twice. Errors
// wrap [broker.ErrUnavailable], or say that a delivery cannot be encoded.
func Move(ctx context.Context, js jetstream.JetStream, target messages.TargetName, kind string) (moved int, more bool, err error) {
	q, err := open(ctx, js, target)
	if err != nil {
		return 0, false, err
	}
	_, done, err := q.pending(ctx)
	if err != nil {
		return 0, false, err
	}
	write := broker.NewWriter(js)
	for begun := time.Now(); time.Since(begun) < moveFor; {
		msgs, last, err := q.read(ctx, done, kind)
		if err != nil || len(msgs) == 0 {
			return moved, false, err
		}
		if err := write.All(ctx, msgs); err != nil {
			return moved, false, fmt.Errorf("moving deliveries: %w", err)
		}
		if err := q.stream.Purge(ctx, jetstream.WithPurgeSubject(q.subject()), jetstream.WithPurgeSequence(last+1)); err != nil {
			return moved, false, broker.Unavailable("moving deliveries", err)
		}
		moved, done = moved+len(msgs), last
	}
	return moved, true, nil
}

// read returns the next deliveries after a sequence, as messages for another
// kind, and the sequence of the last of them.
func (q *queue) read(ctx context.Context, after uint64, kind string) (msgs []*nats.Msg, last uint64, err error) {
	for last = after; len(msgs) < movedTogether; {
		raw, err := q.stream.GetMsg(ctx, last+1, jetstream.WithGetMsgSubject(q.subject()))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return msgs, last, nil
		}
		if err != nil {
			return nil, 0, broker.Unavailable("reading deliveries", err)
		}
		msg, err := movedMessage(raw, messages.TargetName{Kind: kind, Name: q.target.Name})
		if err != nil {
			return nil, 0, err
		}
		msgs, last = append(msgs, msg), raw.Sequence
	}
	return msgs, last, nil
}

// movedMessage returns a delivery as a message for another target. One that
// cannot be read stays as it is: the worker of that target gives it up.
func movedMessage(raw *jetstream.RawStreamMsg, target messages.TargetName) (*nats.Msg, error) {
	id := fmt.Sprintf("move.%s.%d", target.Kind, raw.Sequence)
	d, err := messages.DecodeDelivery(raw.Data)
	if err != nil {
		return messages.NewMessage(messages.SubjectTask(target.Kind, target.Name), id, events.ContentType, "", raw.Data), nil
	}
	d.Kind, d.Target = target.Kind, target.Name
	return d.Message(fmt.Sprintf("%s.%s", d.ID, id))
}
