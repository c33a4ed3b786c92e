package subscribers

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
)

// createdKey tells the consumers of a subscriber, in their metadata, from one
// that somebody else has made under the same name: that one is not taken over.
const createdKey = "logoutd.subscriber.created"

// createConsumers makes the subscriber's consumers, which begin with the
// oldest event, and returns those that it made.
func (s *Subscribers) createConsumers(ctx context.Context, r record) (made []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for _, name := range r.Consumers {
		_, err := s.config.JetStream.CreateConsumer(ctx, events.StreamEvents, jetstream.ConsumerConfig{
			Durable: name, AckPolicy: jetstream.AckExplicitPolicy,
			Metadata: map[string]string{createdKey: r.CreatedAt.Format(time.RFC3339Nano)},
		})
		if errors.Is(err, jetstream.ErrConsumerExists) {
			return made, ErrConsumer
		}
		if err != nil {
			return made, broker.Unavailable("creating consumer", err)
		}
		made = append(made, name)
	}
	return made, nil
}

func (s *Subscribers) deleteConsumers(ctx context.Context, names []string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for _, name := range names {
		err := s.config.JetStream.DeleteConsumer(ctx, events.StreamEvents, name)
		if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return broker.Unavailable("deleting consumer", err)
		}
	}
	return nil
}
