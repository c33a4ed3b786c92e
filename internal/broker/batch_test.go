package broker_test

import (
	"context"
	"errors"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

// counting counts the publishes that were sent for an acknowledgement of
// their own: synchronous ones, and those of the fallback.
type counting struct {
	jetstream.JetStream
	commits, singles int
}

func (c *counting) PublishMsg(ctx context.Context, msg *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	c.commits++
	return c.JetStream.PublishMsg(ctx, msg, opts...)
}

func (c *counting) PublishMsgAsync(msg *nats.Msg, opts ...jetstream.PublishOpt) (jetstream.PubAckFuture, error) {
	c.singles++
	return c.JetStream.PublishMsgAsync(msg, opts...)
}

func TestAllPublishesInBatches(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ n, before, commits, singles int }{
		"none":          {},
		"one":           {n: 1, commits: 1},
		"several":       {n: 40, commits: 1},
		"more than fit": {n: 2001, commits: 3},
		"a duplicate":   {n: 40, before: 3, commits: 1, singles: 40},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := eventstest.Start(t)
			if err := testkit.NewPublisher(t, b.JS).All(t.Context(), tasks(t, 0, tt.before)); err != nil {
				t.Fatal(err)
			}
			js := &counting{JetStream: b.JS}
			if err := testkit.NewPublisher(t, js).All(t.Context(), tasks(t, 0, tt.n)); err != nil {
				t.Fatal(err)
			}
			expectTasks(t, b, tt.n)
			if js.commits != tt.commits || js.singles != tt.singles {
				t.Errorf("%d batches and %d single messages, want %d and %d", js.commits, js.singles, tt.commits, tt.singles)
			}
		})
	}
}

func TestIncompleteBatchFallsBack(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	js := &testkit.Interceptor{JetStream: b.JS, OnPublish: func(ctx context.Context, msg *nats.Msg, next testkit.PublishFunc) (*jetstream.PubAck, error) {
		msg.Header.Set("Nats-Batch-Sequence", "30") // as if some had been lost before it
		return next(ctx, msg)
	}}
	if err := testkit.NewPublisher(t, js).All(t.Context(), tasks(t, 0, 20)); err != nil {
		t.Fatal(err)
	}
	expectTasks(t, b, 20)
}

func TestLostAcknowledgementOfBatchIsRepeated(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	js := &testkit.Interceptor{JetStream: b.JS, OnPublish: func(ctx context.Context, msg *nats.Msg, next testkit.PublishFunc) (*jetstream.PubAck, error) {
		if _, err := next(ctx, msg); err != nil {
			return nil, err
		}
		return nil, context.DeadlineExceeded
	}}
	err := testkit.NewPublisher(t, js).All(t.Context(), tasks(t, 0, 20))
	if !errors.Is(err, broker.ErrUnavailable) {
		t.Fatalf("error %v, want ErrUnavailable", err)
	}
	if err := testkit.NewPublisher(t, b.JS).All(t.Context(), tasks(t, 0, 20)); err != nil {
		t.Fatal(err)
	}
	expectTasks(t, b, 20)
}

func TestBrokerStoppedBetweenBatches(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	commits := 0
	js := &testkit.Interceptor{JetStream: b.JS, OnPublish: func(ctx context.Context, msg *nats.Msg, next testkit.PublishFunc) (*jetstream.PubAck, error) {
		if commits++; commits == 2 {
			b.Stop()
		}
		return next(ctx, msg)
	}}
	err := testkit.NewPublisher(t, js).All(t.Context(), tasks(t, 0, 1500))
	if !errors.Is(err, broker.ErrUnavailable) {
		t.Fatalf("error %v, want ErrUnavailable", err)
	}
	b.Restart()
	if n := len(b.Messages(messages.StreamTasks)); n != 1000 {
		t.Errorf("%d tasks are stored, want those of the first batch", n)
	}
	if err := testkit.NewPublisher(t, b.JS).All(t.Context(), tasks(t, 0, 1500)); err != nil {
		t.Fatal(err)
	}
	expectTasks(t, b, 1500)
}
