package deadletters

import (
	"context"
	"fmt"
	"time"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// fetch is how many messages are asked for at a time, and the most that
	// are put in at once.
	fetch = 4096
	// heartbeat is how often the broker says that it is there. After twice
	// that time without, it is asked anew.
	heartbeat = time.Second
)

// batch is what some consecutive messages of the stream hold.
type batch struct {
	letters []Letter
	last    uint64 // place of the last message
	left    uint64 // messages after it
}

// add reads one more message. delivered counts them.
func (b *batch) add(msg jetstream.Msg, delivered *uint64) error {
	meta, err := msg.Metadata()
	if err != nil {
		return err
	}
	if *delivered++; meta.Sequence.Consumer != *delivered {
		return fmt.Errorf("message %d came instead of %d", meta.Sequence.Consumer, *delivered)
	}
	b.last, b.left = meta.Sequence.Stream, meta.NumPending
	d := decode(msg.Subject(), b.last, meta.Timestamp, msg.Data())
	b.letters = append(b.letters, summarize(d, msg.Subject(), meta.Timestamp))
	return nil
}

// readStream fetches messages and hands them on in batches as they come.
func readStream(ctx context.Context, consumer jetstream.Consumer, batches chan<- batch) error {
	delivered := uint64(0)
	for {
		fetched, err := consumer.Fetch(fetch, jetstream.FetchContext(ctx), jetstream.FetchHeartbeat(heartbeat))
		if err != nil {
			return broker.Unavailable("reading dead letters", err)
		}
		for msg := range fetched.Messages() {
			b, err := gather(msg, fetched.Messages(), &delivered)
			if err != nil {
				return err
			}
			select {
			case batches <- b:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := fetched.Error(); err != nil {
			return broker.Unavailable("reading dead letters", err)
		}
	}
}

// gather makes a batch of a message and of those that are there already.
// delivered counts the messages: none must be missing.
func gather(msg jetstream.Msg, more <-chan jetstream.Msg, delivered *uint64) (batch, error) {
	var b batch
	for ok := true; ok; {
		if err := b.add(msg, delivered); err != nil {
			return b, err
		}
		select {
		case msg, ok = <-more:
		default:
			ok = false
		}
	}
	return b, nil
}
