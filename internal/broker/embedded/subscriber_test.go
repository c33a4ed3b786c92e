package embedded_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
)

// connect returns a subscriber's connection, and what it is refused.
func connect(t *testing.T, url string, options ...nats.Option) (*nats.Conn, <-chan error) {
	t.Helper()
	refused := make(chan error, 100)
	conn, err := nats.Connect(url, append(options,
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn, refused
}

// consume reads through the subscriber's durable consumer until the test ends.
func consume(t *testing.T, conn *nats.Conn, durable string) <-chan string {
	t.Helper()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := js.Consumer(t.Context(), events.StreamEvents, durable)
	if err != nil {
		t.Fatal(err)
	}
	ids := make(chan string, 100)
	consuming, err := consumer.Consume(func(msg jetstream.Msg) {
		_ = msg.Ack()
		ids <- msg.Headers().Get(nats.MsgIdHdr)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(consuming.Stop)
	return ids
}

// receive waits for an event for less than the 30 s after which a lost pull
// is made again.
func receive(t *testing.T, ids <-chan string, want string) {
	t.Helper()
	select {
	case got := <-ids:
		if got != want {
			t.Errorf("received %s, want %s", got, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("%s does not come", want)
	}
}

// TestSubscribersComeAndGo: each begins and ends at once, and the others
// notice nothing of it: their connections and pulls stay.
func TestSubscribersComeAndGo(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	stays, _ := connect(t, b.Subscribe("stays"), nats.DisconnectErrHandler(func(*nats.Conn, error) { t.Error("a subscriber was disconnected") }))
	read := consume(t, stays, "stays")
	announce(t, b, "r1")
	receive(t, read, "r1")
	for n := range 5 {
		gone := make(chan struct{})
		url := b.Subscribe(fmt.Sprint("goes", n))
		goes, _ := connect(t, url, nats.NoReconnect(), nats.ClosedHandler(func(*nats.Conn) { close(gone) }))
		receive(t, consume(t, goes, fmt.Sprint("goes", n)), "r1")
		b.Unsubscribe(fmt.Sprint("goes", n))
		select {
		case <-gone:
		case <-time.After(10 * time.Second):
			t.Fatal("a subscriber who was ended stays connected")
		}
		if conn, err := nats.Connect(url); err == nil {
			conn.Close()
			t.Error("a subscriber who was ended comes in")
		}
		announce(t, b, fmt.Sprint("after", n))
		receive(t, read, fmt.Sprint("after", n))
	}
	stays.Opts.DisconnectedErrCB = nil // the test's own end
}

// TestSubscribersSurviveRestart: who reconnects is let in.
func TestSubscribersSurviveRestart(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	conn, _ := connect(t, b.Subscribe("shop"), nats.ReconnectWait(10*time.Millisecond), nats.MaxReconnects(-1))
	read := consume(t, conn, "shop")
	announce(t, b, "r1")
	receive(t, read, "r1")
	b.Stop()
	b.Restart()
	announce(t, b, "r2")
	receive(t, read, "r2")
}

// TestLiveEvents: an event is republished with its sequence, and read again
// from the stream.
func TestLiveEvents(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	conn, _ := connect(t, b.Subscribe("denylist"))
	live, err := conn.SubscribeSync(events.SubjectLive + ">")
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	publishBatch(t, b.JS, 1)
	announce(t, b, "last")
	for n := range 101 {
		msg, err := live.NextMsg(5 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if got := msg.Header.Get(jetstream.SequenceHeader); got != fmt.Sprint(n+1) || !strings.HasPrefix(msg.Subject, events.SubjectLive) {
			t.Fatalf("%s with sequence %s, want %d", msg.Subject, got, n+1)
		}
	}
	msg, err := conn.Request("$JS.API.DIRECT.GET."+events.StreamEvents, []byte(`{"seq":101}`), 5*time.Second)
	if err != nil || msg.Header.Get(nats.MsgIdHdr) != "last" || len(msg.Data) == 0 {
		t.Errorf("read from the stream: %v, %v", msg, err)
	}
}

// TestSubscriberIsBounded: what the broker holds for it has limits.
func TestSubscriberIsBounded(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	url := b.Subscribe("greedy")
	other := b.Subscribe("other")
	conn, refused := connect(t, url, nats.NoReconnect())
	for range 300 {
		if _, err := conn.SubscribeSync(nats.NewInbox()); err != nil {
			break
		}
	}
	select {
	case err := <-refused:
		if !strings.Contains(err.Error(), "maximum subscriptions exceeded") {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("300 subscriptions are not too many")
	}
	if conn.MaxPayload() > 4096 {
		t.Errorf("a request can take %d bytes", conn.MaxPayload())
	}
	conn.Close()
	var last error
	for range 40 {
		more, err := nats.Connect(url)
		if err == nil {
			t.Cleanup(more.Close)
		}
		last = err
	}
	if last == nil || !strings.Contains(last.Error(), "maximum account active connections exceeded") {
		t.Errorf("40 connections: %v", last)
	}
	connect(t, other)
}

// publishBatch publishes a hundred messages, whose ids are numbers from first.
func publishBatch(t *testing.T, js jetstream.JetStream, first int) {
	t.Helper()
	msgs := make([]*nats.Msg, 100)
	for i := range msgs {
		msgs[i] = nats.NewMsg(events.SubjectRevoked("session"))
		msgs[i].Header.Set(jetstream.MsgIDHeader, fmt.Sprint(first+i))
	}
	if err := broker.NewWriter(js).All(t.Context(), msgs); err != nil {
		t.Fatal(err)
	}
}
