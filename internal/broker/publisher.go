package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/logoutd/logoutd/internal/batcher"
	"github.com/logoutd/logoutd/internal/messages"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrUnavailable is wrapped by every error that means that the broker did not
// acknowledge in time. The message may or may not be on its stream; publishing it
// again is harmless.
var ErrUnavailable = errors.New("broker unavailable")

// ErrTooLarge means that a message exceeds the broker's limit. Publishing it again
// is of no use.
var ErrTooLarge = errors.New("longer than the broker takes")

// ErrNotConnected is wrapped beside [ErrUnavailable] where there is no
// connection. [Connect] logs why there is none.
var ErrNotConnected = errors.New("not connected")

// Unavailable returns err with what was being done. It wraps [ErrUnavailable].
func Unavailable(doing string, err error) error {
	if errors.Is(err, nats.ErrReconnectBufExceeded) { // a publish without a connection: Connect allows no buffer
		err = ErrNotConnected
	}
	return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, err)
}

// AckWait is how long a publisher waits for an acknowledgement before it sends the
// same message again, under the same id.
const AckWait = 2 * time.Second

// Publisher publishes messages and waits until they are on disk. It is safe for
// concurrent use.
type Publisher struct {
	*Writer
	fenced   *batcher.Batcher[[]messages.Encoded]
	unfenced *batcher.Batcher[[]messages.Encoded]
	closed   atomic.Bool
	observe  func(time.Duration)
	trouble  trouble
}

// NewPublisher returns a publisher. If observe is not nil, it is called with the
// duration of each acknowledged publish of requests. Call Close when done.
func NewPublisher(js jetstream.JetStream, observe func(time.Duration)) *Publisher {
	if observe == nil {
		observe = func(time.Duration) {}
	}
	p := &Publisher{Writer: NewWriter(js), observe: observe}
	config := batcher.Config[[]messages.Encoded]{Do: p.publishBatch, Take: messages.FitTogether}
	p.fenced, p.unfenced = batcher.New(config), batcher.New(config)
	return p
}

// Close waits for the messages in flight. It refuses requests that wait behind
// them, and later ones.
func (p *Publisher) Close() {
	p.closed.Store(true)
	p.fenced.Close()
	p.unfenced.Close()
}

// Requests publishes logout requests and returns when they are on disk. Requests of
// concurrent callers share a message and its fsync, up to [messages.MaxBatch] and
// [messages.MaxBatchBytes]. Unfenced requests get messages of their own, under
// [messages.SubjectUnfenced]. An error wraps [ErrUnavailable]: some of the requests
// may be on the stream. Or it wraps [ErrTooLarge], if one of the requests is too
// long for a message: none of them is published, and other callers' are.
func (p *Publisher) Requests(ctx context.Context, requests ...messages.Request) error {
	encoded, err := messages.EncodeRequests(requests)
	if err != nil {
		return err
	}
	for _, r := range encoded {
		if err := p.fits(r.Subject(), r.Size()); err != nil {
			return err
		}
	}
	var waiting []<-chan error
	for _, ofSubject := range messages.BySubject(encoded) {
		to := p.fenced
		if ofSubject[0].Unfenced {
			to = p.unfenced
		}
		for _, part := range messages.Divide(ofSubject) {
			waiting = append(waiting, to.Go(part))
		}
	}
	for _, done := range waiting {
		select {
		case err := <-done:
			if errors.Is(err, batcher.ErrClosed) {
				err = Unavailable("publishing requests", err)
			}
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return Unavailable("publishing requests", ctx.Err())
		}
	}
	return nil
}

// batchTimeout bounds one batch, resends included. Its callers wait as long as
// their own contexts allow.
const batchTimeout = 2 * AckWait

// publishBatch publishes one message of requests. It resends the same bytes under
// the same id until batchTimeout.
func (p *Publisher) publishBatch(parts [][]messages.Encoded, _ func()) error {
	if p.closed.Load() {
		return Unavailable("publishing requests", batcher.ErrClosed)
	}
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	requests := slices.Concat(parts...)
	msg := messages.JoinRequests(messages.NewID(), requests)
	start := time.Now()
	for {
		err := p.publish(ctx, msg)
		if err == nil {
			p.trouble.cause.Store(nil)
			p.observe(time.Since(start))
			return nil
		}
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			p.trouble.cause.Store(&err)
			return Unavailable("publishing requests", err)
		}
	}
}

// Again publishes a single request for another attempt, with its history. from is
// the stream sequence of the message that it came in: it makes the message id
// differ from that of an earlier attempt, which JetStream would drop as a
// duplicate.
func (p *Publisher) Again(ctx context.Context, r messages.Request, from uint64) error {
	msg, err := messages.RequestBatch(fmt.Sprintf("%s.%d.%d", r.ID, r.History.Attempts, from), []messages.Request{r})
	if err != nil {
		return err
	}
	return p.All(ctx, []*nats.Msg{msg})
}

// DeliveryAgain is [Publisher.Again] for a delivery.
func (p *Publisher) DeliveryAgain(ctx context.Context, t messages.Delivery, from uint64) error {
	msg, err := t.Message(fmt.Sprintf("%s.%d.%d", t.ID, t.History.Attempts, from))
	if err != nil {
		return err
	}
	return p.All(ctx, []*nats.Msg{msg})
}

// Split publishes each part in messages of its own, under new ids: in as few as the
// limits of a message allow.
func (p *Publisher) Split(ctx context.Context, parts ...[]messages.Request) error {
	msgs := make([]*nats.Msg, 0, len(parts))
	for _, part := range parts {
		encoded, err := messages.EncodeRequests(part)
		if err != nil {
			return err
		}
		for _, ofSubject := range messages.BySubject(encoded) {
			for _, part := range messages.Divide(ofSubject) {
				msgs = append(msgs, messages.JoinRequests(messages.NewID(), part))
			}
		}
	}
	return p.All(ctx, msgs)
}

// DeadLetter records a dead letter, then announces it. from is as for
// [Publisher.Again]. An error that does not wrap [ErrUnavailable] means that its id
// or step cannot be part of a subject.
func (p *Publisher) DeadLetter(ctx context.Context, d messages.DeadLetter, from uint64) error {
	letter, announcement, err := d.Messages(fmt.Sprint(from))
	if err != nil {
		return err
	}
	if err := p.All(ctx, []*nats.Msg{letter}); err != nil {
		return err
	}
	return p.All(ctx, []*nats.Msg{announcement})
}
