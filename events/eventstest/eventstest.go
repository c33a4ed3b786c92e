package eventstest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/broker/embedded"
)

// Broker is a running broker with a connection to it.
type Broker struct {
	t      testing.TB
	config embedded.Config
	broker *embedded.Broker

	subscribers []broker.Subscriber

	Conn *nats.Conn
	JS   jetstream.JetStream
}

// Start starts a broker with the streams of logoutd. It ends with the test.
func Start(t testing.TB) *Broker {
	t.Helper()
	b := &Broker{t: t, config: embedded.Config{
		Dir: t.TempDir(), Listen: "127.0.0.1:0",
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
	if err := b.broker.SetSubscribers(b.subscribers); err != nil {
		b.t.Fatalf("starting broker: %v", err)
	}
	b.config.Listen = strings.TrimPrefix(b.broker.URL(), "nats://") // the same again
	b.JS = Connect(b.t, b.broker)
	b.Conn = b.JS.Conn()
}

// Connect connects to a broker, until the test ends, and sets its streams up,
// whose sequences begin at 1.
func Connect(t testing.TB, b *embedded.Broker, options ...nats.Option) jetstream.JetStream {
	t.Helper()
	conn, err := b.Connect(broker.ConnectConfig{Name: "test", Options: options})
	if err != nil {
		t.Fatalf("connecting to broker: %v", err)
	}
	t.Cleanup(conn.Close)
	js, err := broker.JetStream(conn)
	if err != nil {
		t.Fatalf("opening JetStream: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := broker.SetupFrom(ctx, js, 1); err != nil {
		t.Fatalf("setting up streams: %v", err)
	}
	return js
}

// URL is where subscribers connect.
func (b *Broker) URL() string { return b.broker.URL() }

// Subscribe makes a subscriber with a durable consumer of the same name, and
// returns the URL that it connects with, which holds its password.
func (b *Broker) Subscribe(name string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := b.JS.CreateConsumer(ctx, events.StreamEvents, jetstream.ConsumerConfig{Durable: name, AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		b.t.Fatalf("creating consumer: %v", err)
	}
	password := broker.NewPassword()
	hash, err := broker.HashPassword(password)
	if err != nil {
		b.t.Fatal(err)
	}
	b.subscribers = append(b.subscribers, broker.Subscriber{Name: name, PasswordHash: hash, Consumers: []string{name}})
	if err := b.broker.SetSubscribers(b.subscribers); err != nil {
		b.t.Fatalf("creating subscriber: %v", err)
	}
	return strings.Replace(b.URL(), "nats://", "nats://"+name+":"+password+"@", 1)
}

// Unsubscribe ends a subscriber.
func (b *Broker) Unsubscribe(name string) {
	b.t.Helper()
	b.subscribers = slices.DeleteFunc(b.subscribers, func(s broker.Subscriber) bool { return s.Name == name })
	if err := b.broker.SetSubscribers(b.subscribers); err != nil {
		b.t.Fatalf("ending subscriber: %v", err)
	}
}

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
