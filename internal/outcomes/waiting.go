package outcomes

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

const (
	// ReadTimeout is how long one look may read a stream.
	ReadTimeout = 5 * time.Second
	// MaxRead is how many messages of a stream one look reads at most.
	MaxRead = 100_000
)

// Waiting is a target that has still to be told.
type Waiting struct {
	Kind   string // of the target
	Target string
	// Deliveries is how many matching deliveries wait at most: of those behind
	// one that is not done, some may have been done a moment ago.
	Deliveries int
	// Paused is set where the target is paused.
	Paused *broker.Paused
	// Served tells that a worker has ever served the target.
	Served bool
}

// Deliveries returns the targets that have still to be told of a delivery that
// matches, by name. whole is false where not every delivery could be read.
func Deliveries(
	ctx context.Context, js jetstream.JetStream, matches func(messages.Delivery) bool,
) (all []Waiting, whole bool, err error) {
	paused, err := broker.AllPaused(ctx, js)
	if err != nil {
		return nil, false, err
	}
	whole = true
	err = eachTarget(ctx, js, 0, func(w Waiting, open int, read reader) error {
		n := 0
		complete, err := read(func(msg jetstream.Msg) {
			if task, err := messages.DecodeDelivery(msg.Data()); err == nil && matches(task) {
				n++
			}
		})
		whole = whole && complete
		if w.Deliveries = min(n, open); w.Deliveries > 0 {
			w.Paused = pauseOf(w, paused)
			all = append(all, w)
		}
		return err
	})
	slices.SortFunc(all, func(a, b Waiting) int { return strings.Compare(a.Target, b.Target) })
	return all, whole, err
}

func pauseOf(w Waiting, paused []broker.Paused) *broker.Paused {
	for i := range paused {
		if paused[i].Step == w.Kind && paused[i].Target == w.Target {
			return &paused[i]
		}
	}
	return nil
}

// reader reads the messages of a target that may not be done. whole is false
// where not all of them were read.
type reader func(do func(jetstream.Msg)) (whole bool, err error)

// eachTarget calls do for each target that has messages, with the number of
// those that are not done, and what reads them, after the sequence after.
func eachTarget(ctx context.Context, js jetstream.JetStream, after uint64, do func(w Waiting, open int, read reader) error) error {
	stream, err := js.Stream(ctx, messages.StreamTasks)
	if err != nil {
		return err
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(messages.SubjectTasks+">"))
	if err != nil {
		return err
	}
	for subject := range info.State.Subjects {
		kind, name, ok := messages.TargetOf(subject)
		if !ok {
			continue
		}
		w := Waiting{Kind: kind, Target: name}
		floor, open := uint64(0), MaxRead
		target, err := stream.Consumer(ctx, messages.ConsumerTarget(w.Kind, w.Target))
		switch {
		case err == nil:
			info := target.CachedInfo()
			w.Served, floor, open = true, info.AckFloor.Stream, int(info.NumPending)+info.NumAckPending
		case !errors.Is(err, jetstream.ErrConsumerNotFound):
			return err
		}
		if open == 0 {
			continue
		}
		if err := do(w, open, readFrom(ctx, stream, subject, max(floor, after)+1)); err != nil {
			return err
		}
	}
	return nil
}

// readFrom returns what reads the messages of a subject from a sequence on.
func readFrom(ctx context.Context, stream jetstream.Stream, subject string, from uint64) reader {
	return func(do func(jetstream.Msg)) (bool, error) {
		consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
			DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from,
			FilterSubjects: []string{subject}, InactiveThreshold: 2 * ReadTimeout,
		})
		if err != nil {
			return false, err
		}
		return Read(ctx, consumer, do)
	}
}

// Read reads what a consumer has before it, up to [MaxRead] messages. whole is
// false where there are more, or they do not come in time.
func Read(ctx context.Context, consumer jetstream.Consumer, do func(jetstream.Msg)) (whole bool, err error) {
	if consumer.CachedInfo().NumPending == 0 {
		return true, nil
	}
	msgs, err := consumer.Messages()
	if err != nil {
		return false, err
	}
	defer msgs.Stop()
	for range MaxRead {
		msg, err := msgs.Next(jetstream.NextContext(ctx))
		if errors.Is(err, context.DeadlineExceeded) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		do(msg)
		if meta, err := msg.Metadata(); err != nil || meta.NumPending == 0 {
			return true, err
		}
	}
	return false, nil
}
