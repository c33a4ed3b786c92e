package broker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/logoutd/logoutd/internal/messages"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Headers of an atomic batch publish (nats-server 2.12, ADR-50).
const (
	headerBatchID       = "Nats-Batch-Id"
	headerBatchSequence = "Nats-Batch-Sequence"
	headerBatchCommit   = "Nats-Batch-Commit"
)

// maxSingle is up to how many messages are published one by one. The server creates
// a store for each atomic batch, which takes longer than a few syncs (nats-server
// 2.15).
const maxSingle = 12

// maxAtomic is how many messages an atomic batch holds at most.
const maxAtomic = 1000

// Writer publishes batches of messages. It is safe for concurrent use. Create one
// with [NewWriter].
type Writer struct {
	js jetstream.JetStream
	// One atomic batch at a time: for each the server creates files and syncs
	// them, and two at once take longer than one after the other.
	batches sync.Mutex
}

// NewWriter returns a writer to the streams behind js.
func NewWriter(js jetstream.JetStream) *Writer { return &Writer{js: js} }

// All publishes messages of one stream and returns when all are on disk. It sends
// many messages as atomic batches, each with one fsync. If the server refuses a
// batch because one of its messages was published before, All publishes them one
// by one; a duplicate counts as published. It modifies the messages' headers while
// it runs.
func (w *Writer) All(ctx context.Context, msgs []*nats.Msg) error {
	for len(msgs) > 0 {
		n := min(len(msgs), maxAtomic)
		if err := w.batch(ctx, msgs[:n]); err != nil {
			return err
		}
		msgs = msgs[n:]
	}
	return nil
}

func (w *Writer) batch(ctx context.Context, msgs []*nats.Msg) error {
	for _, msg := range msgs {
		if err := w.fits(msg.Subject, len(msg.Data)); err != nil {
			return err
		}
	}
	if len(msgs) == 1 {
		if err := w.publish(ctx, msgs[0]); err != nil {
			return Unavailable("publishing to "+msgs[0].Subject, err)
		}
		return nil
	}
	if len(msgs) > maxSingle {
		var refused *jetstream.APIError
		err := w.atomic(ctx, msgs)
		if !errors.As(err, &refused) {
			return err
		}
	}
	return w.single(ctx, msgs)
}

// atomic sends the messages as one batch: all but the last without a reply, then
// the last, whose acknowledgement covers all.
func (w *Writer) atomic(ctx context.Context, msgs []*nats.Msg) error {
	w.batches.Lock()
	defer w.batches.Unlock()
	id := []string{messages.NewID()} // one for all headers
	numbers := make([]string, len(msgs))
	for i := range numbers {
		numbers[i] = strconv.Itoa(i + 1)
	}
	last := len(msgs) - 1
	for i, msg := range msgs[:last] {
		leave := join(msg, id, numbers[i:i+1:i+1])
		err := w.js.Conn().PublishMsg(msg)
		leave()
		if err != nil {
			return Unavailable("publishing batch", err)
		}
	}
	commit := msgs[last]
	defer join(commit, id, numbers[last:])()
	commit.Header.Set(headerBatchCommit, "1")
	if err := w.publish(ctx, commit); err != nil {
		return Unavailable("publishing batch", err)
	}
	return nil
}

// join makes msg part of a batch until leave is called. Copying its headers instead
// would cost more than everything else here.
func join(msg *nats.Msg, id, number []string) (leave func()) {
	msg.Header[headerBatchID] = id
	msg.Header[headerBatchSequence] = number
	return func() {
		delete(msg.Header, headerBatchID)
		delete(msg.Header, headerBatchSequence)
		delete(msg.Header, headerBatchCommit)
	}
}

// single publishes the messages one by one, all in flight at once.
func (w *Writer) single(ctx context.Context, msgs []*nats.Msg) error {
	futures := make([]jetstream.PubAckFuture, len(msgs))
	for i, msg := range msgs {
		future, err := w.js.PublishMsgAsync(msg)
		if err != nil {
			return Unavailable("publishing", err)
		}
		futures[i] = future
	}
	for i, future := range futures {
		select {
		case <-future.Ok():
		case err := <-future.Err():
			return Unavailable(fmt.Sprintf("publishing to %s", msgs[i].Subject), err)
		case <-ctx.Done():
			return Unavailable("publishing", ctx.Err())
		}
	}
	return nil
}

// headerRoom is what the headers of a message take at most: ids and a trace
// context, with a margin.
const headerRoom = 8 << 10

// fits returns an error that wraps [ErrTooLarge] if the broker refuses a message
// with so many bytes of data. Without a connection the limit is not known.
func (w *Writer) fits(subject string, size int) error {
	limit := w.js.Conn().MaxPayload()
	if limit == 0 || int64(size)+headerRoom <= limit {
		return nil
	}
	return fmt.Errorf("publishing to %s: %d bytes: %w", subject, size, ErrTooLarge)
}

// publish publishes a message and waits for its acknowledgement, for [AckWait]
// at most.
func (w *Writer) publish(ctx context.Context, msg *nats.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, AckWait)
	defer cancel()
	_, err := w.js.PublishMsg(ctx, msg, jetstream.WithRetryAttempts(0))
	return err
}
