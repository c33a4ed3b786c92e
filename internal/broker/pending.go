package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/logoutd/logoutd/internal/messages"

	"github.com/nats-io/nats.go/jetstream"
)

// Pending is [PendingMessages] with the requests of each message. It skips messages
// that cannot be read.
func Pending(ctx context.Context, js jetstream.JetStream, do func([]messages.Request) error) error {
	return PendingMessages(ctx, js, func(msg jetstream.Msg) error {
		requests, err := messages.ReadRequests(msg)
		if err != nil {
			return nil // the revoker gives it up
		}
		return do(requests)
	})
}

// PendingMessages calls do with each message of [messages.StreamRequests] that the
// revoker has not acknowledged yet, in stream order. It does not wait for new
// messages. The error is that of do, or wraps [ErrUnavailable].
func PendingMessages(ctx context.Context, js jetstream.JetStream, do func(jetstream.Msg) error) error {
	stream, err := js.Stream(ctx, messages.StreamRequests)
	if err != nil {
		return Unavailable("reading pending requests", err)
	}
	last := stream.CachedInfo().State.LastSeq
	first, err := firstPending(ctx, stream)
	if err != nil {
		return Unavailable("reading pending requests", err)
	}
	if first > last || stream.CachedInfo().State.Msgs == 0 {
		return nil
	}
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: first,
	})
	if err != nil {
		return Unavailable("reading pending requests", err)
	}
	return eachPending(ctx, stream, consumer, last, do)
}

// firstPending returns the sequence of the first message that is not acknowledged.
func firstPending(ctx context.Context, stream jetstream.Stream) (uint64, error) {
	revoker, err := stream.Consumer(ctx, messages.ConsumerRevoker)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return 1, nil // no worker has ever run
	}
	if err != nil {
		return 0, err
	}
	return revoker.CachedInfo().AckFloor.Stream + 1, nil
}

// pendingWait is how long to wait for the next message before asking whether there
// is one: many times what the broker takes.
const pendingWait = time.Second

// eachPending reads up to the sequence last, or to the end of the stream.
func eachPending(ctx context.Context, stream jetstream.Stream, consumer jetstream.Consumer, last uint64, do func(jetstream.Msg) error) error {
	if consumer.CachedInfo().NumPending == 0 {
		return nil
	}
	msgs, err := consumer.Messages()
	if err != nil {
		return Unavailable("reading pending requests", err)
	}
	defer msgs.Stop()
	for read := uint64(0); ; {
		msg, err := nextPending(ctx, msgs)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			if left, err := anyPending(ctx, stream, read, last); err != nil || !left {
				return err
			}
			continue
		}
		if err != nil {
			return Unavailable("reading pending requests", err)
		}
		meta, err := msg.Metadata()
		if err != nil {
			return fmt.Errorf("reading pending requests: %w", err)
		}
		if err := do(msg); err != nil {
			return err
		}
		if read = meta.Sequence.Stream; read >= last || meta.NumPending == 0 {
			return nil
		}
	}
}

func nextPending(ctx context.Context, msgs jetstream.MessagesContext) (jetstream.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, pendingWait)
	defer cancel()
	return msgs.Next(jetstream.NextContext(ctx))
}

// anyPending reports whether there is a message between what was read and the
// sequence last. A worker may have removed all of them meanwhile.
func anyPending(ctx context.Context, stream jetstream.Stream, read, last uint64) (bool, error) {
	msg, err := stream.GetMsg(ctx, read+1, jetstream.WithGetMsgSubject(messages.FilterRequests))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	if err != nil {
		return false, Unavailable("reading pending requests", err)
	}
	return msg.Sequence <= last, nil
}
