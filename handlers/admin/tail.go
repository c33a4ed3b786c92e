package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/broker"
)

const (
	// tailStart bounds the start of a stream.
	tailStart = 5 * time.Second
	// tailPause is the pause before a retry after the broker failed.
	tailPause = time.Second
)

// tail streams the public events from "since" on (default: now) until the caller
// disconnects. After an outage of the broker it continues where it stopped.
func (a *api) tail(w http.ResponseWriter, r *http.Request) {
	since, err := readSince(r.URL.Query())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	closeTail, ok := a.Tails.Open(callerOf(r))
	if !ok {
		a.fail(w, r, newProblem(http.StatusTooManyRequests, fmt.Sprintf(
			"the token %q has reached its limit of %d open event streams: close some, or use another token", callerOf(r), access.MaxTails)))
		return
	}
	defer closeTail()
	config, err := a.tailFrom(r.Context(), since)
	if err != nil {
		a.fail(w, r, fmt.Errorf("following events: %w: %w", broker.ErrUnavailable, err))
		return
	}
	out := lineWriter{w, http.NewResponseController(w)}
	out.start()
	ctx, cancel := a.untilStopped(r)
	defer cancel()
	for ctx.Err() == nil && r.Method != http.MethodHead {
		iterator, err := a.follow(ctx, config)
		if err != nil {
			pause(ctx, tailPause)
			continue
		}
		last, err := pump(ctx, iterator, out)
		if err != nil {
			return // the caller has disconnected
		}
		config = resume(config, last)
	}
}

// readSince reads an RFC 3339 time, or how long ago (90s, 1h); zero if it is
// missing.
func readSince(query url.Values) (time.Time, error) {
	for name := range query {
		if name != "since" {
			return time.Time{}, invalid(shorten(name), "unknown parameter; only since is allowed")
		}
	}
	since := query.Get("since")
	if since == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, since); err == nil {
		return at, nil
	}
	ago, err := time.ParseDuration(since)
	if err != nil || ago < 0 {
		return time.Time{}, invalid("since", "must be an RFC 3339 time, or how long ago, such as 90s or 1h")
	}
	return time.Now().Add(-ago), nil
}

// tailFrom turns "now" into a sequence, so that no event is lost during an outage
// of the broker.
func (a *api) tailFrom(ctx context.Context, since time.Time) (jetstream.OrderedConsumerConfig, error) {
	ctx, cancel := context.WithTimeout(ctx, tailStart)
	defer cancel()
	stream, err := a.JetStream.Stream(ctx, events.StreamEvents)
	if err != nil {
		return jetstream.OrderedConsumerConfig{}, err
	}
	if since.IsZero() {
		return fromSequence(stream.CachedInfo().State.LastSeq + 1), nil
	}
	return jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since}, nil
}

func fromSequence(seq uint64) jetstream.OrderedConsumerConfig {
	return jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: seq}
}

// resume returns the config to continue after sequence last; 0: unchanged.
func resume(config jetstream.OrderedConsumerConfig, last uint64) jetstream.OrderedConsumerConfig {
	if last == 0 {
		return config
	}
	return fromSequence(last + 1)
}

func (a *api) follow(ctx context.Context, config jetstream.OrderedConsumerConfig) (jetstream.MessagesContext, error) {
	config.MaxResetAttempts = 1 // so that Next never outlasts ctx
	ctx, cancel := context.WithTimeout(ctx, tailStart)
	defer cancel()
	consumer, err := a.JetStream.OrderedConsumer(ctx, events.StreamEvents, config)
	if err != nil {
		return nil, err
	}
	return consumer.Messages()
}

// pump writes events until the iterator fails or ctx ends. last is the sequence
// of the last event; err means that the caller has disconnected.
func pump(ctx context.Context, iterator jetstream.MessagesContext, out lineWriter) (last uint64, err error) {
	defer iterator.Stop()
	for {
		msg, err := iterator.Next(jetstream.NextContext(ctx))
		if err != nil {
			return last, nil
		}
		if meta, err := msg.Metadata(); err == nil {
			last = meta.Sequence.Stream
		}
		if err := out.line(msg.Data()); err != nil {
			return last, err
		}
	}
}
