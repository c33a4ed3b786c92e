package deadletters

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

const (
	// retryWait is the time between two tries to follow the stream.
	retryWait = 250 * time.Millisecond
	// tellAgain is how long the same trouble is not logged again.
	tellAgain = time.Minute
	// many messages gone, it is quicker to rebuild the file than to delete them.
	many = 50_000
)

// errAnew says that the file does not go with the stream any more.
var errAnew = errors.New("the projection does not go with the stream")

// Run keeps the projection up with the stream until ctx ends, through every
// outage of the broker, and then returns nil.
func (l *Letters) Run(ctx context.Context) error {
	told, at := "", time.Time{}
	for {
		err := l.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if damaged(err) || errors.Is(err, errAnew) {
			l.config.logger().InfoContext(ctx, "projection of dead letters is made anew", "err", err)
			if err = l.anew(); err == nil {
				continue
			}
		}
		if err.Error() != told || time.Since(at) > tellAgain {
			if broker.LogFailure(ctx, l.config.logger(), l.config.JetStream, "following dead letters failed", "err", err) {
				told, at = err.Error(), time.Now()
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retryWait):
		}
	}
}

// follow takes over what comes to the stream and what is removed from it,
// until something fails.
func (l *Letters) follow(ctx context.Context) error {
	removed := make(chan *nats.Msg, 1024)
	sub, err := l.config.JetStream.Conn().ChanSubscribe(messages.SubjectLettersRemoved, removed)
	if err != nil {
		return fmt.Errorf("subscribing to removals of dead letters: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	stream, consumer, err := l.start(ctx)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	batches := make(chan batch, 1)
	group.Go(func() error { return readStream(ctx, consumer, batches) })
	group.Go(func() error { return l.take(ctx, stream, batches, removed) })
	return group.Wait()
}

// start finds the stream and continues on it where the projection is.
func (l *Letters) start(ctx context.Context) (jetstream.Stream, jetstream.Consumer, error) {
	stream, err := l.config.JetStream.Stream(ctx, messages.StreamFailed)
	if err != nil {
		return nil, nil, broker.Unavailable("finding dead letters", err)
	}
	info := stream.CachedInfo()
	at, _, _ := l.state.now()
	if at.created == 0 {
		if err := l.belong(ctx, info.Created.UnixNano()); err != nil {
			return nil, nil, err
		}
	} else if !at.of(info) {
		return nil, nil, errAnew
	}
	consumer, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: at.seq + 1,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return nil, nil, broker.Unavailable("reading dead letters", err)
	}
	left := consumer.CachedInfo().NumPending
	l.state.change(func() { l.state.left = left })
	return stream, consumer, nil
}

// of reports whether this can be a place on the stream.
func (p place) of(info *jetstream.StreamInfo) bool {
	return p.created == info.Created.UnixNano() && p.seq <= info.State.LastSeq
}

// take puts in what comes, takes out what is removed, and looks from time to
// time whether that is all.
func (l *Letters) take(ctx context.Context, stream jetstream.Stream, batches <-chan batch, removed <-chan *nats.Msg) error {
	every := time.NewTicker(l.config.checkInterval())
	defer every.Stop()
	for {
		if err := l.arrive(ctx, stream); err != nil {
			return err
		}
		var err error
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case b := <-batches:
			err = l.put(ctx, b)
		case msg := <-removed:
			l.note(msg)
		case <-every.C:
			err = l.check(ctx, stream)
		case <-l.look:
			err = l.check(ctx, stream)
		}
		if err != nil {
			return err
		}
		if err := l.flush(ctx); err != nil {
			return err
		}
	}
}

// arrive makes the projection ready, once it has all that it lacked.
func (l *Letters) arrive(ctx context.Context, stream jetstream.Stream) error {
	_, _, left := l.state.now()
	if left > 0 || l.state.progress().Ready {
		return nil
	}
	if err := l.check(ctx, stream); err != nil {
		return err
	}
	l.state.change(func() { l.state.ready = true })
	return nil
}

// note notes the removals that a message tells of.
func (l *Letters) note(msg *nats.Msg) {
	var seqs []uint64
	if err := json.Unmarshal(msg.Data, &seqs); err != nil {
		l.config.logger().Warn("reading removals of dead letters failed", "err", err)
		return
	}
	l.state.forget(seqs)
}

// nudge makes Run compare with the stream soon.
func (l *Letters) nudge() {
	select {
	case l.look <- struct{}{}:
	default:
	}
}
