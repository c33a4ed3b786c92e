package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
)

// natsUser are the options of a user of deployments/nats/nats.conf.
func natsUser(name string) []nats.Option {
	refused := func(*nats.Conn, *nats.Subscription, error) {} // by itself nats.go prints it
	options := []nats.Option{nats.UserInfo(name, passwordOf(name)), nats.ErrorHandler(refused)}
	if name != "subscriber" {
		options = append(options, nats.CustomInboxPrefix("_INBOX_"+name))
	}
	return options
}

// TestDeployedSubscriber reads events with the deployed rights of a
// subscriber, and reaches nothing else with them: not through the subject of
// a request, its reply, or what a push consumer delivers to.
func TestDeployedSubscriber(t *testing.T) {
	t.Parallel()
	d := deploy(t, "")
	who := newLogin("ada", "one")
	d.admin.mustRegister(who)
	d.admin.mustLogOut("sap_v1", who.session)
	d.worker.awaitIdle(1)
	d.worker.kill() // what comes now stays on the streams
	waiting := newLogin("bob", "two")
	d.admin.mustRegister(waiting)
	d.admin.mustLogOut("sap_v1", waiting.session)

	js := d.nats.jetStream(t, natsUser("subscriber")...)
	expectEvent(t, js, who)
	before := d.states(t)
	attack(t, js)
	if after := d.states(t); after != before {
		t.Errorf("the streams were %s, and are %s", before, after)
	}
	if _, err := nats.Connect(d.nats.url()); err == nil {
		t.Error("NATS lets somebody in without a password")
	}
	again := d.worker.setup.start(t)
	again.awaitIdle(1)
	if !d.admin.dead(waiting) {
		t.Error("the logout that waited is not done")
	}
}

// expectEvent reads the one event through a durable consumer, as the README
// shows it.
func expectEvent(t *testing.T, js jetstream.JetStream, who login) {
	t.Helper()
	consumer, err := js.CreateOrUpdateConsumer(t.Context(), events.StreamEvents, jetstream.ConsumerConfig{
		Durable: "my-service", AckPolicy: jetstream.AckExplicitPolicy,
	})
	if err != nil {
		t.Fatal(err)
	}
	msg, err := consumer.Next(jetstream.FetchMaxWait(5 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := msg.Headers().Get(nats.MsgIdHdr), events.RequestID("session", who.id()); got != want {
		t.Errorf("event %s, want %s", got, want)
	}
	if err := msg.DoubleAck(t.Context()); err != nil {
		t.Error(err)
	}
}

// attack aims at what a subscriber must not reach, in every way there is.
func attack(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	conn := js.Conn()
	for n, subject := range []string{
		"$JS.API.STREAM.PURGE.LOGOUT_REQUESTS", "$JS.API.STREAM.DELETE.LOGOUT_FAILED", "$JS.API.STREAM.PURGE.LOGOUT_EVENTS",
		"$JS.API.CONSUMER.DELETE.LOGOUT_REQUESTS.revoker", "$JS.ACK.LOGOUT_REQUESTS.revoker.1.1.1.1.0",
	} {
		_ = conn.Publish(subject, nil)
		// The first two are answered with an empty body, which is a whole
		// request to the API.
		for request, body := range map[string]string{
			"$JS.API.CONSUMER.MSG.NEXT.LOGOUT_EVENTS.my-service": `{"batch":1,"no_wait":true}`,
			"$JS.API.DIRECT.GET.LOGOUT_EVENTS":                   `{"seq":99}`,
			"$JS.API.STREAM.MSG.GET.LOGOUT_EVENTS":               `{"seq":1}`,
			"$JS.API.STREAM.INFO.LOGOUT_EVENTS":                  ``,
		} {
			if err := conn.PublishRequest(request, subject, []byte(body)); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = js.CreatePushConsumer(t.Context(), events.StreamEvents, jetstream.ConsumerConfig{
			Name: fmt.Sprint("push", n), DeliverSubject: subject, AckPolicy: jetstream.AckNonePolicy,
		})
	}
	if _, err := conn.Request("$JS.API.STREAM.INFO.LOGOUT_EVENTS", nil, 5*time.Second); err != nil {
		t.Fatal(err)
	}
}

// states tells what lies on the streams.
func (d *deployed) states(t *testing.T) string {
	t.Helper()
	js := d.nats.jetStream(t, natsUser(roleAdmin)...)
	all := ""
	for _, name := range []string{events.StreamRequests, events.StreamTasks, events.StreamEvents, events.StreamFailed} {
		stream, err := js.Stream(t.Context(), name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		state := stream.CachedInfo().State
		all += fmt.Sprintf("%s %d-%d ", name, state.FirstSeq, state.LastSeq)
	}
	return all
}
