package events_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/broker/embedded"
	"github.com/logoutd/logoutd/internal/messages"
)

// A service that learns of every logout, also of those that happened while it
// was down: its durable consumer, which logoutd subscribers create has made,
// remembers how far it has come.
func Example_subscriber() {
	natsURL, stop := startBroker() // in real life what logoutd subscribers create shop prints
	defer stop()

	conn, err := nats.Connect(natsURL, nats.MaxReconnects(-1))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		log.Fatal(err)
	}
	consumer, err := js.Consumer(context.Background(), events.StreamEvents, "shop")
	if err != nil {
		log.Fatal(err)
	}

	done := make(chan struct{})
	consuming, err := consumer.Consume(func(msg jetstream.Msg) {
		var event events.Event[events.Revoked]
		if err := json.Unmarshal(msg.Data(), &event); err != nil || !strings.HasSuffix(event.Type, ".revoked.v1") {
			_ = msg.Ack() // logoutd.revocation.failed.v1 is for operators
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
	// Output: user-s1: user of alice, up to 2026-03-01T12:00:00.000Z
}

// A denylist in many replicas: each wants every event, and none is worth a
// durable consumer. It follows the live events, and reads from the stream what
// it has missed: when it starts, and where the sequence has a gap.
func Example_denylist() {
	natsURL, stop := startBroker()
	defer stop()

	conn, err := nats.Connect(natsURL, nats.MaxReconnects(-1))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	live, err := conn.SubscribeSync(events.SubjectLive + ">")
	if err != nil {
		log.Fatal(err)
	}
	if err := conn.Flush(); err != nil { // from now on live has everything
		log.Fatal(err)
	}
	applied := 0
	apply := func(msg *nats.Msg) {
		applied++
		apply(msg)
	}
	last, err := readAfter(conn, 0, apply)
	if err != nil {
		log.Fatal(err)
	}

	publish("user-s2", "bob") // somebody logs out
	for applied < 2 {
		msg, err := live.NextMsg(time.Minute)
		switch {
		case errors.Is(err, nats.ErrTimeout), errors.Is(err, nats.ErrSlowConsumer):
			// Events may be missing, also after a reconnect: read what there is.
			if last, err = readAfter(conn, last, apply); err != nil {
				log.Print(err) // try again
			}
			continue
		case err != nil:
			log.Fatal(err)
		}
		sequence, err := strconv.ParseUint(msg.Header.Get(jetstream.SequenceHeader), 10, 64)
		switch {
		case err != nil:
			log.Fatal(err)
		case sequence <= last: // it was read already
		case sequence == last+1:
			apply(msg)
			last = sequence
		default: // a gap
			if last, err = readAfter(conn, last, apply); err != nil {
				log.Print(err)
			}
		}
	}
	// Output:
	// alice is logged out up to 2026-03-01T12:00:00.000Z
	// bob is logged out up to 2026-03-01T12:00:00.000Z
}

// readAfter reads the events after a sequence from the stream, and returns the
// sequence of the last one.
func readAfter(conn *nats.Conn, last uint64, apply func(*nats.Msg)) (uint64, error) {
	for {
		request := fmt.Appendf(nil, `{"seq":%d,"next_by_subj":"logout.events.>"}`, last+1)
		msg, err := conn.Request("$JS.API.DIRECT.GET."+events.StreamEvents, request, 5*time.Second)
		if err != nil {
			return last, err
		}
		if msg.Header.Get("Status") == "404" { // there are no more
			return last, nil
		}
		if last, err = strconv.ParseUint(msg.Header.Get(jetstream.SequenceHeader), 10, 64); err != nil {
			return last, err
		}
		apply(msg)
	}
}

func apply(msg *nats.Msg) {
	var event events.Event[events.Revoked]
	if err := json.Unmarshal(msg.Data, &event); err == nil && event.Data.Scope == "user" {
		fmt.Printf("%s is logged out up to %s\n", event.Data.UserID, event.Data.RevokedBefore)
	}
}

// publish stands in for a logoutd that revokes something.
var publish func(id, userID string)

// startBroker stands in for a logoutd that has revoked something, and has a
// subscriber, whose URL it returns.
func startBroker() (natsURL string, stop func()) {
	dir, err := os.MkdirTemp("", "logoutd")
	if err != nil {
		log.Fatal(err)
	}
	server, err := embedded.Start(embedded.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		log.Fatal(err)
	}
	conn, err := server.Connect(broker.ConnectConfig{Name: "example"})
	if err != nil {
		log.Fatal(err)
	}
	js, err := broker.JetStream(conn)
	if err != nil {
		log.Fatal(err)
	}
	if err := broker.Setup(context.Background(), js); err != nil {
		log.Fatal(err)
	}
	publisher := broker.NewPublisher(js, nil)
	publish = func(id, userID string) {
		msg, err := messages.RevokedMessage(events.Revoked{Scope: "user", RequestID: id, UserID: userID, RevokedBefore: events.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}, "")
		if err != nil {
			log.Fatal(err)
		}
		if err := publisher.All(context.Background(), []*nats.Msg{msg}); err != nil {
			log.Fatal(err)
		}
	}
	publish("user-s1", "alice")
	return subscribe(server, js), func() {
		publisher.Close()
		conn.Close()
		server.Close()
		_ = os.RemoveAll(dir)
	}
}

// subscribe does what logoutd subscribers create shop does.
func subscribe(server *embedded.Broker, js jetstream.JetStream) (natsURL string) {
	config := jetstream.ConsumerConfig{Durable: "shop", AckPolicy: jetstream.AckExplicitPolicy}
	if _, err := js.CreateConsumer(context.Background(), events.StreamEvents, config); err != nil {
		log.Fatal(err)
	}
	password := broker.NewPassword()
	hash, err := broker.HashPassword(password)
	if err != nil {
		log.Fatal(err)
	}
	if err := server.SetSubscribers([]broker.Subscriber{{Name: "shop", PasswordHash: hash, Consumers: []string{"shop"}}}); err != nil {
		log.Fatal(err)
	}
	return strings.Replace(server.URL(), "nats://", "nats://shop:"+password+"@", 1)
}
