package testkit

import (
	"context"
	"testing"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Interceptor lets a test step between a publisher and the broker: what stands
// between a synchronous publish and its acknowledgement.
type Interceptor struct {
	jetstream.JetStream
	OnPublish func(ctx context.Context, msg *nats.Msg, next PublishFunc) (*jetstream.PubAck, error)
}

// PublishFunc publishes a message and waits for its acknowledgement.
type PublishFunc func(context.Context, *nats.Msg) (*jetstream.PubAck, error)

// PublishMsg implements [jetstream.JetStream].
func (i *Interceptor) PublishMsg(ctx context.Context, msg *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	return i.OnPublish(ctx, msg, func(ctx context.Context, msg *nats.Msg) (*jetstream.PubAck, error) {
		return i.JetStream.PublishMsg(ctx, msg, opts...)
	})
}

// NewPublisher returns a publisher that is closed when the test ends.
func NewPublisher(t *testing.T, js jetstream.JetStream) *broker.Publisher {
	t.Helper()
	p := broker.NewPublisher(js, nil)
	t.Cleanup(p.Close)
	return p
}

// StoredRequests returns the requests of every message of LOGOUT_REQUESTS.
func StoredRequests(t *testing.T, b *eventstest.Broker) [][]messages.Request {
	t.Helper()
	var batches [][]messages.Request
	for _, msg := range b.Messages(messages.StreamRequests) {
		batch, err := messages.DecodeRequests(msg.Data)
		if err != nil {
			t.Fatal(err)
		}
		batches = append(batches, batch)
	}
	return batches
}

// PutDeadLetters records dead letters of messages with the sequence from.
func PutDeadLetters(t *testing.T, b *eventstest.Broker, from uint64, letters ...messages.DeadLetter) {
	t.Helper()
	p := broker.NewPublisher(b.JS, nil)
	defer p.Close()
	for _, l := range letters {
		if err := p.DeadLetter(t.Context(), l, from); err != nil {
			t.Fatal(err)
		}
	}
}
