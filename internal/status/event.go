package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
)

// clockMargin is how much earlier than a time that a process has taken down
// the broker's own may be.
const clockMargin = 5 * time.Second

// readTimeout is how long a stream is looked through.
const readTimeout = 5 * time.Second

// event takes in the public event of the request, if it is among the first
// maxEvents from a time on (zero: not known), or among the latest.
func (q *inquiry) event(from time.Time) error {
	if q.brokerDown {
		return nil
	}
	ctx, cancel := context.WithTimeout(q.ctx, readTimeout)
	defer cancel()
	event, more, err := findEvent(ctx, q.JetStream, q.RequestID, from)
	if err == nil && event == nil && more {
		event, _, err = findEvent(ctx, q.JetStream, q.RequestID, time.Time{})
	}
	if err != nil {
		return q.excuse(fmt.Errorf("looking for the event: %w: %w", broker.ErrUnavailable, err))
	}
	if event != nil {
		q.tellEvent(*event)
	}
	return nil
}

// findEvent looks for an event, and reports whether there are more than were
// looked at.
func findEvent(ctx context.Context, js jetstream.JetStream, id string, from time.Time) (_ *events.Revoked, more bool, _ error) {
	stream, err := js.Stream(ctx, events.StreamEvents)
	if err != nil {
		return nil, false, err
	}
	consumer, err := stream.OrderedConsumer(ctx, reading(from, stream.CachedInfo().State))
	if err != nil {
		return nil, false, err
	}
	pending := consumer.CachedInfo().NumPending
	seq, err := findMessage(ctx, consumer, id, min(pending, maxEvents))
	if err != nil || seq == 0 {
		return nil, pending > maxEvents, err
	}
	event, err := read(ctx, stream, seq)
	return event, false, err
}

func read(ctx context.Context, stream jetstream.Stream, seq uint64) (*events.Revoked, error) {
	msg, err := stream.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil // just now too old
	}
	if err != nil {
		return nil, err
	}
	var e events.Event[events.Revoked]
	if err := json.Unmarshal(msg.Data, &e); err != nil {
		return nil, fmt.Errorf("decoding event: %w", err)
	}
	return &e.Data, nil
}

// reading begins at the time, or so that it comes to the last of maxEvents. The
// message id is the request's: bodies are not needed to find it.
func reading(from time.Time, state jetstream.StreamState) jetstream.OrderedConsumerConfig {
	config := jetstream.OrderedConsumerConfig{
		HeadersOnly: true, FilterSubjects: []string{events.SubjectRevoked("*")}, InactiveThreshold: 2 * readTimeout,
	}
	if from.IsZero() {
		config.DeliverPolicy = jetstream.DeliverByStartSequencePolicy
		config.OptStartSeq = max(state.FirstSeq, 1)
		if state.LastSeq > maxEvents {
			config.OptStartSeq = max(config.OptStartSeq, state.LastSeq-maxEvents+1)
		}
		return config
	}
	from = from.Add(-clockMargin)
	config.DeliverPolicy, config.OptStartTime = jetstream.DeliverByStartTimePolicy, &from
	return config
}

// findMessage returns the place of the message with the id among the next n,
// 0 where it is not among them, or not found in time.
func findMessage(ctx context.Context, consumer jetstream.Consumer, id string, n uint64) (uint64, error) {
	if n == 0 {
		return 0, nil
	}
	msgs, err := consumer.Messages()
	if err != nil {
		return 0, err
	}
	defer msgs.Stop()
	for range n {
		msg, err := msgs.Next(jetstream.NextContext(ctx))
		if errors.Is(err, context.DeadlineExceeded) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		if msg.Headers().Get(nats.MsgIdHdr) != id {
			continue
		}
		meta, err := msg.Metadata()
		if err != nil {
			return 0, err
		}
		return meta.Sequence.Stream, nil
	}
	return 0, nil
}
