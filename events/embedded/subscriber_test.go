package embedded_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
)

func TestSubscriberReadsEvents(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	announce(t, b, "r1", "r2")
	withToken := strings.Replace(b.URL(), "nats://", "nats://"+token+"@", 1)
	for name, connect := range map[string]func() (*nats.Conn, error){
		"token":    func() (*nats.Conn, error) { return nats.Connect(b.URL(), nats.Token(token)) },
		"password": func() (*nats.Conn, error) { return nats.Connect(b.URL(), nats.UserInfo("any", token)) },
		"URL":      func() (*nats.Conn, error) { return nats.Connect(withToken) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := connect()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			readDurably(t, conn, "service-"+name)
			readInOrder(t, conn)
		})
	}
}

func readDurably(t *testing.T, conn *nats.Conn, durable string) {
	t.Helper()
	js := jetStream(t, conn)
	config := jetstream.ConsumerConfig{Durable: durable, AckPolicy: jetstream.AckExplicitPolicy}
	for _, want := range []string{"r1", "r2"} {
		consumer, err := js.CreateOrUpdateConsumer(t.Context(), events.StreamEvents, config)
		if err != nil {
			t.Fatal(err)
		}
		msg, err := consumer.Next(jetstream.FetchMaxWait(5 * time.Second))
		if err != nil {
			t.Fatalf("fetching %s: %v", want, err)
		}
		if got := msg.Headers().Get(nats.MsgIdHdr); got != want {
			t.Errorf("fetched %s, want %s", got, want)
		}
		if err := msg.DoubleAck(t.Context()); err != nil {
			t.Fatalf("acknowledging: %v", err)
		}
	}
	consumer, err := js.Consumer(t.Context(), events.StreamEvents, durable)
	if err != nil {
		t.Fatal(err)
	}
	if info := consumer.CachedInfo(); info.NumPending != 0 || info.NumAckPending != 0 {
		t.Errorf("%d pending and %d unacknowledged after all were acknowledged", info.NumPending, info.NumAckPending)
	}
}

func readInOrder(t *testing.T, conn *nats.Conn) {
	t.Helper()
	consumer, err := jetStream(t, conn).OrderedConsumer(t.Context(), events.StreamEvents, jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	msgs, err := consumer.Messages()
	if err != nil {
		t.Fatal(err)
	}
	defer msgs.Stop()
	for _, want := range []string{"r1", "r2"} {
		msg, err := msgs.Next(jetstream.NextMaxWait(5 * time.Second))
		if err != nil {
			t.Fatalf("reading %s in order: %v", want, err)
		}
		if got := msg.Headers().Get(nats.MsgIdHdr); got != want {
			t.Errorf("read %s, want %s", got, want)
		}
	}
}

func TestSubscriberMayPublishAndListenNowhereElse(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	conn, refused := subscriber(t, b)
	for _, subject := range []string{
		events.SubjectRequests, events.SubjectTask("push", "http"), events.SubjectRevoked("user"), "logout.failed.push.x",
		"$JS.API.STREAM.CREATE.X", "$JS.API.STREAM.LIST", "$JS.API.STREAM.PURGE.LOGOUT_EVENTS",
		"$JS.API.STREAM.DELETE.LOGOUT_EVENTS", "$JS.API.STREAM.UPDATE.LOGOUT_EVENTS",
		"$JS.API.STREAM.MSG.DELETE.LOGOUT_EVENTS", "$JS.API.STREAM.INFO.LOGOUT_REQUESTS",
		"$JS.API.STREAM.PURGE.LOGOUT_REQUESTS", "$JS.API.STREAM.DELETE.LOGOUT_TASKS",
		"$JS.API.STREAM.MSG.GET.LOGOUT_FAILED", "$JS.API.DIRECT.GET.LOGOUT_TASKS",
		"$JS.API.CONSUMER.CREATE.LOGOUT_TASKS.x", "$JS.API.CONSUMER.MSG.NEXT.LOGOUT_REQUESTS.revoker",
		// The second reads as an acknowledgement to the revoker's consumer.
		"$JS.ACK.LOGOUT_REQUESTS.revoker.1.1.1.1.0", "$JS.ACK.LOGOUT_REQUESTS.revoker.LOGOUT_EVENTS.1.1.1.0",
		"_INBOX.another", "$SYS.REQ.SERVER.PING",
	} {
		if err := conn.Publish(subject, nil); err != nil {
			t.Fatal(err)
		}
		expectRefusal(t, refused, subject)
	}
	for _, subject := range []string{"_INBOX_logoutd.>", "logout.>", "$JS.>", "$SYS.>", ">"} {
		if _, err := conn.SubscribeSync(subject); err != nil {
			t.Fatal(err)
		}
		expectRefusal(t, refused, subject)
	}
}

// A request's reply subject is bound by no permission: whatever answers it
// must not reach the streams that way.
func TestSubscriberReachesNothingThroughReplies(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	delivered := requestInFlight(t, b)
	announce(t, b, "r1")
	conn, _ := subscriber(t, b)
	for _, reply := range privateSubjects() {
		// Answered with an empty body, with an event, and with JSON.
		for request, body := range map[string]string{
			"$JS.API.DIRECT.GET.LOGOUT_EVENTS":     `{"seq":99}`,
			"$JS.API.STREAM.MSG.GET.LOGOUT_EVENTS": `{"seq":1}`,
			"$JS.API.STREAM.INFO.LOGOUT_EVENTS":    ``,
		} {
			if err := conn.PublishRequest(request, reply, []byte(body)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := conn.Request("$JS.API.STREAM.INFO.LOGOUT_EVENTS", nil, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	expectUntouched(t, b, delivered)
}

// A push consumer would write to any subject of the process's account.
func TestSubscriberCreatesNoPushConsumers(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	delivered := requestInFlight(t, b)
	conn, _ := subscriber(t, b)
	for i, subject := range privateSubjects() {
		_, err := jetStream(t, conn).CreatePushConsumer(t.Context(), events.StreamEvents, jetstream.ConsumerConfig{
			Name: fmt.Sprint("push", i), DeliverSubject: subject, AckPolicy: jetstream.AckNonePolicy,
		})
		var refused *jetstream.APIError
		if !errors.As(err, &refused) || !strings.Contains(refused.Description, "pull consumer") {
			t.Errorf("a consumer pushed to %s: %v, want a refusal", subject, err)
		}
	}
	for _, config := range []string{
		`{"durable_name":"x","Deliver_Subject":"logout.requests"}`,
		`{"durable_name":"x","deliver_subject":"","deliver_subject":"logout.requests"}`,
		`{"durable_name":"x","deliver_subject":"logout.requests"`,
	} {
		body := []byte(`{"stream_name":"LOGOUT_EVENTS","config":` + config + `}`)
		answer, err := conn.Request("$JS.API.CONSUMER.DURABLE.CREATE.LOGOUT_EVENTS.x", body, 5*time.Second)
		if err != nil || !strings.Contains(string(answer.Data), `"error"`) {
			t.Errorf("%s: %v, want a refusal", config, err)
		}
	}
	announce(t, b, "r1")
	expectUntouched(t, b, delivered)
	if n := len(b.Messages(events.StreamRequests)); n != 1 {
		t.Errorf("%d messages of requests, want the one that was there", n)
	}
}

func privateSubjects() []string {
	return []string{
		"$JS.ACK.LOGOUT_REQUESTS.revoker.1.1.1.1.0",
		"$JS.API.STREAM.PURGE.LOGOUT_REQUESTS", "$JS.API.STREAM.DELETE.LOGOUT_FAILED",
		"$JS.API.CONSUMER.DELETE.LOGOUT_REQUESTS.revoker", "$JS.API.STREAM.PURGE.LOGOUT_EVENTS",
		events.SubjectRequests,
	}
}

// requestInFlight publishes a request and delivers it to the revoker, which
// does not acknowledge it.
func requestInFlight(t *testing.T, b *eventstest.Broker) jetstream.Consumer {
	t.Helper()
	p := events.NewPublisher(b.JS, nil)
	defer p.Close()
	request := events.Request{ID: "r", Scope: "session", SessionID: "s", Cutoff: events.At(time.Now())}
	if err := p.Requests(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	consumer, err := b.JS.CreateConsumer(t.Context(), events.StreamRequests, jetstream.ConsumerConfig{
		Durable: events.ConsumerRevoker, AckPolicy: jetstream.AckExplicitPolicy, FilterSubject: events.SubjectRequests,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := consumer.Next(); err != nil {
		t.Fatal(err)
	}
	return consumer
}

// expectUntouched fails unless the request is still stored, delivered and not
// acknowledged, and nothing else waits for the revoker.
func expectUntouched(t *testing.T, b *eventstest.Broker, consumer jetstream.Consumer) {
	t.Helper()
	info, err := consumer.Info(t.Context())
	if err != nil {
		t.Fatalf("consumer of the revoker: %v", err)
	}
	if info.NumAckPending != 1 || info.NumPending != 0 {
		t.Errorf("revoker: %d unacknowledged and %d pending, want 1 and 0", info.NumAckPending, info.NumPending)
	}
	if msgs := b.Messages(events.StreamRequests); len(msgs) == 0 || msgs[0].Sequence != 1 {
		t.Error("the request is gone")
	}
	if len(b.Messages(events.StreamEvents)) != 1 {
		t.Error("the public event is gone")
	}
	if _, err := b.JS.Stream(t.Context(), events.StreamFailed); err != nil {
		t.Errorf("stream of the dead letters: %v", err)
	}
}

// subscriber returns a subscriber's connection, and what it is refused.
func subscriber(t *testing.T, b *eventstest.Broker) (*nats.Conn, <-chan error) {
	t.Helper()
	refused := make(chan error, 100)
	conn, err := nats.Connect(b.URL(), nats.Token(token),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn, refused
}

func expectRefusal(t *testing.T, refused <-chan error, subject string) {
	t.Helper()
	select {
	case err := <-refused:
		if !errors.Is(err, nats.ErrPermissionViolation) || !strings.Contains(err.Error(), `"`+subject+`"`) {
			t.Errorf("%s: %v, want a permissions violation", subject, err)
		}
	case <-time.After(5 * time.Second):
		t.Errorf("%s: not refused", subject)
	}
}

func jetStream(t *testing.T, conn *nats.Conn) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
}
