package broker_test

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

// loseStreams has the broker lose everything, and sets the streams up again, as
// after a NATS that comes back empty.
func loseStreams(t *testing.T, b *eventstest.Broker) {
	t.Helper()
	for name := range b.JS.StreamNames(t.Context()).Name() {
		if err := b.JS.DeleteStream(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if err := broker.Setup(t.Context(), b.JS); err != nil {
		t.Fatal(err)
	}
}

// TestOldAcknowledgement: a worker that held a message when NATS lost its files
// acknowledges it late. The request that came after the loss stays pending.
func TestOldAcknowledgement(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	loseStreams(t, b)
	pull := func(id string) (jetstream.Msg, jetstream.Consumer) {
		t.Helper()
		if err := testkit.NewPublisher(t, b.JS).Requests(t.Context(), testkit.Request(id)); err != nil {
			t.Fatal(err)
		}
		consumer, err := b.JS.CreateOrUpdateConsumer(t.Context(), messages.StreamRequests, jetstream.ConsumerConfig{
			Durable: messages.ConsumerRevoker, AckPolicy: jetstream.AckExplicitPolicy, AckWait: time.Minute,
		})
		if err != nil {
			t.Fatal(err)
		}
		msg, err := consumer.Next(jetstream.FetchMaxWait(10 * time.Second))
		if err != nil {
			t.Fatal(err)
		}
		return msg, consumer
	}
	old, _ := pull("old")
	loseStreams(t, b)
	fresh, consumer := pull("fresh")
	pending := func() int {
		t.Helper()
		info, err := consumer.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return info.NumAckPending
	}
	// The broker does not answer an acknowledgement of what it does not know, but
	// has read it before what the connection sends next.
	if err := old.Ack(); err != nil {
		t.Fatal(err)
	}
	if n := pending(); n != 1 {
		t.Errorf("%d messages are pending after the old acknowledgement, want 1", n)
	}
	if err := fresh.DoubleAck(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := pending(); n != 0 {
		t.Errorf("%d messages are pending after the right acknowledgement, want 0", n)
	}
}

// TestOldDiscard: a discard or replay of a dead letter that is lost does not meet
// the one that is in its place.
func TestOldDiscard(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	put := func(id string) uint64 {
		t.Helper()
		loseStreams(t, b)
		testkit.PutDeadLetters(t, b, 1, messages.DeadLetter{ID: id, Step: messages.StepRevoke})
		stream, err := b.JS.Stream(t.Context(), messages.StreamFailed)
		if err != nil {
			t.Fatal(err)
		}
		return stream.CachedInfo().State.LastSeq
	}
	old := put("old")
	put("fresh")
	letters := deadletters.NewDeadLetters(b.JS)
	for what, err := range map[string]error{
		"discard": letters.DiscardAt(t.Context(), old),
		"replay":  letters.ReplayAt(t.Context(), old, messages.Replayed{By: "ops"}),
	} {
		if err == nil {
			t.Errorf("the %s of a letter that is lost succeeds", what)
		}
	}
	if _, err := letters.Get(t.Context(), "fresh"); err != nil {
		t.Errorf("the letter that came after the loss: %v", err)
	}
}

// TestOldRevision: a process that holds a revision from before a loss changes
// nothing in the bucket that is in its place.
func TestOldRevision(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	put := func() (kv jetstream.KeyValue, revision uint64) {
		t.Helper()
		kv, err := broker.OpenBucket(t.Context(), b.JS, jetstream.KeyValueConfig{
			Bucket: "logoutd_test", Description: "a test", TTL: time.Minute, LimitMarkerTTL: time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		if revision, err = kv.Create(t.Context(), "key", nil); err != nil {
			t.Fatal(err)
		}
		return kv, revision
	}
	_, old := put()
	loseStreams(t, b)
	kv, fresh := put()
	if _, err := kv.Update(t.Context(), "key", []byte("old"), old); !errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		t.Errorf("an update of the old revision: %v", err)
	}
	if err := kv.Delete(t.Context(), "key", jetstream.LastRevision(old)); err == nil {
		t.Error("a deletion of the old revision succeeds")
	}
	if _, err := kv.Update(t.Context(), "key", nil, fresh); err != nil {
		t.Errorf("an update of the fresh revision: %v", err)
	}
}
