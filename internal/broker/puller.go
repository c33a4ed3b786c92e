package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// ackWait is how long the broker waits before it assumes that a worker is
	// dead and delivers its messages again. [Hold] keeps messages alive, so this
	// is only how long a crash delays them.
	ackWait = 10 * time.Second
	// pullWait is how long one pull waits for a message. A shutdown waits for
	// the pull to end, so that no message is sent to a worker that has gone.
	pullWait = time.Second
	// maxAckPending must exceed the number of messages that wait for their next
	// attempt: beyond it the broker delivers nothing at all.
	maxAckPending = 100_000
)

// Puller pulls the messages of one durable consumer. It buffers none: a message
// waits in the broker until somebody works on it. It is not safe for concurrent
// use.
type Puller struct {
	js       jetstream.JetStream
	stream   string
	config   jetstream.ConsumerConfig
	consumer jetstream.Consumer
}

// NewPuller returns a puller of a durable consumer, which it creates if there is
// none.
func NewPuller(js jetstream.JetStream, stream, durable string, subjects ...string) *Puller {
	return &Puller{js: js, stream: stream, config: jetstream.ConsumerConfig{
		Durable: durable, FilterSubjects: subjects, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: ackWait, MaxDeliver: -1, MaxAckPending: maxAckPending,
	}}
}

// Pull returns up to n messages: those that are there, else the next one that comes
// within pullWait, else none.
func (p *Puller) Pull(ctx context.Context, n int) ([]jetstream.Msg, error) {
	if p.consumer == nil {
		if err := p.open(ctx); err != nil {
			return nil, err
		}
	}
	msgs, err := Collect(p.consumer.FetchNoWait(n))
	if err == nil && len(msgs) == 0 && ctx.Err() == nil {
		msgs, err = Collect(p.consumer.Fetch(1, jetstream.FetchMaxWait(pullWait)))
	}
	if err != nil {
		p.consumer = nil // it may have been deleted: look again
		return msgs, fmt.Errorf("pulling from %s: %w", p.config.Durable, err)
	}
	return msgs, nil
}

func (p *Puller) open(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	consumer, err := p.js.Consumer(ctx, p.stream, p.config.Durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		consumer, err = p.js.CreateConsumer(ctx, p.stream, p.config)
	}
	if err == nil && !p.complete(consumer.CachedInfo().Config) { // made by an earlier version
		config := consumer.CachedInfo().Config
		config.FilterSubject, config.FilterSubjects = "", p.config.FilterSubjects
		consumer, err = p.js.UpdateConsumer(ctx, p.stream, config)
	}
	if err != nil {
		return fmt.Errorf("opening consumer %s: %w", p.config.Durable, err)
	}
	p.consumer = consumer
	return nil
}

// complete reports whether a consumer delivers all subjects.
func (p *Puller) complete(c jetstream.ConsumerConfig) bool {
	filters := c.FilterSubjects
	if c.FilterSubject != "" {
		filters = append(filters, c.FilterSubject)
	}
	for _, subject := range p.config.FilterSubjects {
		if len(filters) > 0 && !slices.Contains(filters, subject) {
			return false
		}
	}
	return true
}

// Collect returns the messages of a fetch.
func Collect(batch jetstream.MessageBatch, err error) ([]jetstream.Msg, error) {
	if err != nil {
		return nil, err
	}
	var msgs []jetstream.Msg
	for msg := range batch.Messages() {
		msgs = append(msgs, msg)
	}
	if err := batch.Error(); err != nil && !errors.Is(err, jetstream.ErrNoMessages) &&
		!errors.Is(err, jetstream.ErrBatchCompleted) && len(msgs) == 0 {
		return nil, err
	}
	return msgs, nil
}

// Hold keeps messages from being delivered again until release is called. If the
// broker is away they are delivered again, which repeats work and does no other
// harm.
func Hold(msgs ...jetstream.Msg) (release func()) {
	stop := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		ticker := time.NewTicker(ackWait / 3)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				for _, msg := range msgs {
					_ = msg.InProgress()
				}
			case <-stop:
				return
			}
		}
	})
	return func() {
		close(stop)
		done.Wait()
	}
}
