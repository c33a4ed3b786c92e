package eventstest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/embedded"
)

// SubscriberToken is what subscribers show to a test's broker.
const SubscriberToken = "subscriber-of-a-test"

// Broker is a running broker with a connection to it.
type Broker struct {
	t      testing.TB
	config embedded.Config
	broker *embedded.Broker

	Conn *nats.Conn
	JS   jetstream.JetStream
}

// Start starts a broker with the streams of logoutd. It ends with the test.
func Start(t testing.TB) *Broker {
	t.Helper()
	b := &Broker{t: t, config: embedded.Config{
		Dir: t.TempDir(), Listen: "127.0.0.1:0", SubscriberToken: SubscriberToken,
	}}
	b.Restart()
	t.Cleanup(b.Stop)
	return b
}

// Stop stops the broker; its files stay.
func (b *Broker) Stop() {
	if b.broker == nil {
		return
	}
	b.Conn.Close()
	b.broker.Close()
	b.broker = nil
}

// Restart starts the broker on the files it has, with a new connection.
func (b *Broker) Restart() {
	b.t.Helper()
	var err error
	if b.broker, err = embedded.Start(b.config); err != nil {
		b.t.Fatalf("starting broker: %v", err)
	}
	b.config.Listen = strings.TrimPrefix(b.broker.URL(), "nats://") // the same again
	b.JS = Connect(b.t, b.broker)
	b.Conn = b.JS.Conn()
	b.broker.BatchesToMemory()
}

// Connect connects to a broker, until the test ends, and sets its streams up,
// whose sequences begin at 1.
func Connect(t testing.TB, b *embedded.Broker, options ...nats.Option) jetstream.JetStream {
	t.Helper()
	conn, err := b.Connect(events.ConnectConfig{Name: "test", Options: options})
	if err != nil {
		t.Fatalf("connecting to broker: %v", err)
	}
	t.Cleanup(conn.Close)
	js, err := events.JetStream(conn)
	if err != nil {
		t.Fatalf("opening JetStream: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := events.SetupFrom(ctx, js, 1); err != nil {
		t.Fatalf("setting up streams: %v", err)
	}
	return js
}

// URL is where subscribers connect.
func (b *Broker) URL() string { return b.broker.URL() }

// Messages returns what lies on a stream, oldest first.
func (b *Broker) Messages(stream string) []*jetstream.RawStreamMsg {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := b.JS.Stream(ctx, stream)
	if err != nil {
		b.t.Fatalf("reading stream %s: %v", stream, err)
	}
	var msgs []*jetstream.RawStreamMsg
	for seq := s.CachedInfo().State.FirstSeq; seq <= s.CachedInfo().State.LastSeq; seq++ {
		msg, err := s.GetMsg(ctx, seq)
		if err == nil {
			msgs = append(msgs, msg)
		}
	}
	return msgs
}
