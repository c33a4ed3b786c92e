package overview

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/messages"
)

// queue is what one durable consumer of the workers has before it.
type queue struct {
	stream, durable, subject string

	target Target // as it was last told
	told   bool
}

// storeQueue is what waits for the store.
func storeQueue() *queue {
	return &queue{
		stream: messages.StreamRequests, durable: messages.ConsumerRevoker, subject: messages.FilterRequests,
		target: Target{Step: messages.StepRevoke, Configured: true},
	}
}

// targetQueue is what waits for a target.
func targetQueue(t messages.TargetName, configured bool) *queue {
	return &queue{
		stream: messages.StreamTasks, durable: messages.ConsumerTarget(t.Kind, t.Name),
		subject: messages.SubjectTask(t.Kind, t.Name),
		target:  Target{Step: t.Kind, Name: t.Name, Configured: configured},
	}
}

// ask asks how much waits, and for how long.
func (q *queue) ask(ctx context.Context, b *streams) error {
	pending, floor, err := q.pending(ctx, b)
	if err != nil {
		return err
	}
	oldest := time.Duration(0)
	if pending > 0 {
		if oldest, err = q.age(ctx, b, floor+1); err != nil {
			return err
		}
	}
	q.target.Pending, q.target.Oldest, q.told = pending, oldest, true
	return nil
}

// pending returns how many messages are not done, and the place up to which
// all are. Done ones may lie there until they are purged.
func (q *queue) pending(ctx context.Context, b *streams) (pending int, floor uint64, err error) {
	stream, err := b.stream(ctx, q.stream)
	if err != nil {
		return 0, 0, err
	}
	consumer, err := stream.Consumer(ctx, q.durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) { // no worker has ever come for them
		subjects, err := b.subjects(ctx, q.stream, q.subject)
		for _, n := range subjects {
			pending += int(n)
		}
		return pending, 0, err
	}
	if err != nil {
		return 0, 0, fmt.Errorf("asking for consumer %s: %w", q.durable, err)
	}
	info := consumer.CachedInfo()
	return int(info.NumPending) + info.NumAckPending, info.AckFloor.Stream, nil
}

// age returns the age of the first message from a place on, 0 if there is none
// any more.
func (q *queue) age(ctx context.Context, b *streams, from uint64) (time.Duration, error) {
	stream, err := b.stream(ctx, q.stream)
	if err != nil {
		return 0, err
	}
	msg, err := stream.GetMsg(ctx, from, jetstream.WithGetMsgSubject(q.subject))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the oldest message of %s: %w", q.subject, err)
	}
	return max(time.Since(msg.Time), 0), nil
}
