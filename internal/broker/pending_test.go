package broker_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

// pending returns the ids of the requests that are pending.
func pending(t *testing.T, b *eventstest.Broker) []string {
	t.Helper()
	var ids []string
	err := broker.Pending(t.Context(), b.JS, func(requests []messages.Request) error {
		for _, r := range requests {
			ids = append(ids, r.ID)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func expectPending(t *testing.T, b *eventstest.Broker, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, pending(t, b)); diff != "" {
		t.Errorf("pending requests (-want +got):\n%s", diff)
	}
}

func TestPending(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	expectPending(t, b)
	p := testkit.NewPublisher(t, b.JS)
	for _, id := range []string{"a", "b", "c"} {
		if err := p.Requests(t.Context(), testkit.Request(id)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.JS.Publish(t.Context(), messages.SubjectRequests, []byte("garbage")); err != nil {
		t.Fatal(err)
	}
	expectPending(t, b, "a", "b", "c")

	revoker, err := b.JS.CreateConsumer(t.Context(), messages.StreamRequests, jetstream.ConsumerConfig{
		Durable: messages.ConsumerRevoker, AckPolicy: jetstream.AckExplicitPolicy,
	})
	if err != nil {
		t.Fatal(err)
	}
	expectPending(t, b, "a", "b", "c")
	acknowledge(t, revoker, 1)
	expectPending(t, b, "b", "c")
	acknowledge(t, revoker, 3)
	expectPending(t, b)
}

// acknowledge reads and acknowledges messages.
func acknowledge(t *testing.T, c jetstream.Consumer, n int) {
	t.Helper()
	batch, err := c.Fetch(n)
	if err != nil {
		t.Fatal(err)
	}
	for msg := range batch.Messages() {
		if err := msg.DoubleAck(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A worker removes what is done while somebody reads: what is left is known to
// be nothing.
func TestPendingEndsWhereTheRestIsPurged(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	if err := testkit.NewPublisher(t, b.JS).Requests(t.Context(), testkit.Request("first")); err != nil {
		t.Fatal(err)
	}
	for range 1500 { // more than the client reads ahead
		if _, err := b.JS.PublishAsync(messages.SubjectRequests, []byte("garbage")); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-b.JS.PublishAsyncComplete():
	case <-time.After(20 * time.Second):
		t.Fatal("the messages are not acknowledged")
	}
	stream, err := b.JS.Stream(t.Context(), messages.StreamRequests)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- broker.Pending(t.Context(), b.JS, func([]messages.Request) error { return stream.Purge(t.Context()) })
	}()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it waits for messages that are gone")
	}
}
