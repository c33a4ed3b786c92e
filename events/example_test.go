package events_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/embedded"
)

// A service that learns of every logout, also of those that happened while it
// was down: its durable consumer remembers how far it has come.
func Example_subscriber() {
	broker, stop := startBroker() // in real life: logoutd serve
	defer stop()

	// The token is in <data-dir>/subscriber.token.
	conn, err := nats.Connect(broker.URL(), nats.Token("secret"), nats.MaxReconnects(-1))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		log.Fatal(err)
	}
	consumer, err := js.CreateOrUpdateConsumer(context.Background(), events.StreamEvents, jetstream.ConsumerConfig{
		Durable:        "shop",
		FilterSubjects: []string{"logout.events.*.revoked"},
		AckPolicy:      jetstream.AckExplicitPolicy,
	})
	if err != nil {
		log.Fatal(err)
	}

	done := make(chan struct{})
	consuming, err := consumer.Consume(func(msg jetstream.Msg) {
		var event events.Event[events.Revoked]
		if err := json.Unmarshal(msg.Data(), &event); err != nil {
			_ = msg.TermWithReason("not an event: " + err.Error()) // never to be delivered again
			return
		}
		// Whatever is done here may be done twice: the event's id says so.
		fmt.Printf("%s: %s of %s, up to %s\n", event.ID, event.Data.Scope, event.Data.UserID, event.Data.RevokedBefore)
		_ = msg.Ack()
		close(done)
	})
	if err != nil {
		log.Fatal(err)
	}
	defer consuming.Stop()
	<-done
	// Output: user-s1: user of alice, up to 2026-03-01T11:00:00.123Z
}

// startBroker stands in for a logoutd that has revoked something.
func startBroker() (*embedded.Broker, func()) {
	dir, err := os.MkdirTemp("", "logoutd")
	if err != nil {
		log.Fatal(err)
	}
	broker, err := embedded.Start(embedded.Config{Dir: dir, Listen: "127.0.0.1:0", SubscriberToken: "secret"})
	if err != nil {
		log.Fatal(err)
	}
	conn, err := broker.Connect(events.ConnectConfig{Name: "example"})
	if err != nil {
		log.Fatal(err)
	}
	js, err := events.JetStream(conn)
	if err != nil {
		log.Fatal(err)
	}
	if err := events.Setup(context.Background(), js); err != nil {
		log.Fatal(err)
	}
	msg, err := events.Revoked{Scope: "user", RequestID: "user-s1", UserID: "alice", RevokedBefore: noon}.Message("")
	if err != nil {
		log.Fatal(err)
	}
	publisher := events.NewPublisher(js, nil)
	defer publisher.Close()
	if err := publisher.All(context.Background(), []*nats.Msg{msg}); err != nil {
		log.Fatal(err)
	}
	return broker, func() {
		conn.Close()
		broker.Close()
		_ = os.RemoveAll(dir)
	}
}
