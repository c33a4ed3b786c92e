package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
)

// deliveries notes which targets have still to be told, of what matches, and
// returns whether there are any. It sets Told where it is known that there are
// none.
func (q *inquiry) deliveries(matches func(events.Task) bool) (waiting bool, err error) {
	if q.brokerDown {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(q.ctx, readTimeout)
	defer cancel()
	targets, whole, err := undelivered(ctx, q.JetStream, matches)
	if err != nil {
		return false, q.excuse(fmt.Errorf("looking for deliveries: %w: %w", events.ErrUnavailable, err))
	}
	for _, target := range targets {
		q.note(target)
	}
	if !whole {
		q.note(manyDeliveries)
	}
	q.Told = whole && len(targets) == 0
	return len(targets) > 0, nil
}

// undelivered says of each target with a matching task that it waits, and why
// where it is paused. whole is false where not every task could be looked at.
func undelivered(ctx context.Context, js jetstream.JetStream, matches func(events.Task) bool) (said []string, whole bool, err error) {
	stream, err := js.Stream(ctx, events.StreamTasks)
	if err != nil {
		return nil, false, err
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(events.SubjectTask(events.KindPush, "*")))
	if err != nil {
		return nil, false, err
	}
	paused, err := events.AllPaused(ctx, js)
	if err != nil {
		return nil, false, err
	}
	whole = true
	for subject := range info.State.Subjects {
		name := strings.TrimPrefix(subject, events.SubjectTask(events.KindPush, ""))
		waits, served, all, err := waitsFor(ctx, stream, subject, name, matches)
		if err != nil {
			return nil, false, err
		}
		whole = whole && all
		if waits > 0 {
			said = append(said, waitingFor(name, waits, served, paused))
		}
	}
	slices.Sort(said)
	return said, whole, nil
}

// waitingFor says that a target has still to be told.
func waitingFor(name string, waits int, served bool, paused []events.Paused) string {
	text := fmt.Sprintf("Not told yet: target push · %s (%d waiting)", name, waits)
	for _, p := range paused {
		if p.Step == events.StepPush && p.Target == name {
			return fmt.Sprintf("%s, which is paused since %s (%s).", text, p.Since.UTC().Format(time.RFC3339), p.Code)
		}
	}
	if !served {
		return text + ": no worker has ever served it; is it in the settings?"
	}
	return text + "."
}

// waitsFor counts the matching tasks that a target has not done. Those behind
// one that is not done may have been done a moment ago.
func waitsFor(ctx context.Context, stream jetstream.Stream, subject, name string, matches func(events.Task) bool) (n int, served, whole bool, err error) {
	floor, open := uint64(0), maxPending
	target, err := stream.Consumer(ctx, events.ConsumerTarget(events.KindPush, name))
	switch {
	case err == nil:
		info := target.CachedInfo()
		served, floor, open = true, info.AckFloor.Stream, int(info.NumPending)+info.NumAckPending
	case !errors.Is(err, jetstream.ErrConsumerNotFound):
		return 0, false, false, err
	}
	if open == 0 {
		return 0, served, true, nil
	}
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: floor + 1,
		FilterSubjects: []string{subject}, InactiveThreshold: 2 * readTimeout,
	})
	if err != nil {
		return 0, served, false, err
	}
	whole, err = readOn(ctx, consumer, maxPending, func(msg jetstream.Msg) {
		if task, err := events.DecodeTask(msg.Data()); err == nil && matches(task) {
			n++
		}
	})
	return min(n, open), served, whole, err
}

// readOn reads what a consumer has before it, up to a number of messages.
// whole is false where there are more, or they do not come in time.
func readOn(ctx context.Context, consumer jetstream.Consumer, most int, do func(jetstream.Msg)) (whole bool, err error) {
	left := consumer.CachedInfo().NumPending
	if left == 0 {
		return true, nil
	}
	messages, err := consumer.Messages()
	if err != nil {
		return false, err
	}
	defer messages.Stop()
	for range most {
		msg, err := messages.Next(jetstream.NextContext(ctx))
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

// latestLogout returns the latest public event of the user among the latest
// maxEvents, and notes the tenants of other users of the same id.
func (q *inquiry) latestLogout() (*events.Revoked, error) {
	if q.brokerDown {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(q.ctx, readTimeout)
	defer cancel()
	var latest *events.Revoked
	whole, err := q.eachEvent(ctx, func(e events.Revoked) {
		switch {
		case e.UserID != q.UserID:
		case e.TenantID == q.TenantID:
			latest = &e
		default:
			q.elsewhere(e.TenantID)
		}
	})
	if err != nil {
		return nil, q.excuse(fmt.Errorf("looking for logouts: %w: %w", events.ErrUnavailable, err))
	}
	if !whole {
		q.note(manyEvents)
	}
	return latest, nil
}

func (q *inquiry) eachEvent(ctx context.Context, do func(events.Revoked)) (whole bool, err error) {
	stream, err := q.JetStream.Stream(ctx, events.StreamEvents)
	if err != nil {
		return false, err
	}
	config := reading(time.Time{}, stream.CachedInfo().State)
	config.HeadersOnly = false
	consumer, err := stream.OrderedConsumer(ctx, config)
	if err != nil {
		return false, err
	}
	return readOn(ctx, consumer, maxEvents, func(msg jetstream.Msg) {
		var e events.Event[events.Revoked]
		if json.Unmarshal(msg.Data(), &e) == nil {
			do(e.Data)
		}
	})
}

// elsewhere notes that a user of the same id is known in another tenant.
func (q *inquiry) elsewhere(tenant string) {
	name := "tenant " + tenant
	if tenant == "" {
		name = "the default tenant"
	}
	q.note("A user of this id has logouts or dead letters in " + name + ": name the tenant to see them.")
}
