package events_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
)

var noon = events.At(time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("", 3600)))

func request(id string) events.Request {
	return events.Request{
		ID: id, Dialect: "kratos", Initiator: events.InitiatorUser, Scope: "session", SessionID: "s-" + id,
		UserID: "u", Cutoff: noon, Fenced: true, RequestedAt: noon,
	}
}

// interceptor lets a test step between a publisher and the broker: what stands
// between a synchronous publish and its acknowledgement.
type interceptor struct {
	jetstream.JetStream
	publish func(ctx context.Context, msg *nats.Msg, next publishFunc) (*jetstream.PubAck, error)
}

type publishFunc func(context.Context, *nats.Msg) (*jetstream.PubAck, error)

func (i *interceptor) PublishMsg(ctx context.Context, msg *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	return i.publish(ctx, msg, func(ctx context.Context, msg *nats.Msg) (*jetstream.PubAck, error) {
		return i.JetStream.PublishMsg(ctx, msg, opts...)
	})
}

func publisher(t *testing.T, js jetstream.JetStream) *events.Publisher {
	t.Helper()
	p := events.NewPublisher(js, nil)
	t.Cleanup(p.Close)
	return p
}

// tasks returns messages of LOGOUT_TASKS with the ids t<from> up to t<to-1>.
func tasks(t *testing.T, from, to int) []*nats.Msg {
	t.Helper()
	var msgs []*nats.Msg
	for i := from; i < to; i++ {
		task := events.NewPushTask(request("r"), noon, events.PushRegistration{ID: fmt.Sprint(i), Provider: "http"})
		msg, err := task.Message(fmt.Sprintf("t%d", i))
		if err != nil {
			t.Fatal(err)
		}
		msgs = append(msgs, msg)
	}
	return msgs
}

// expectTasks fails unless LOGOUT_TASKS holds tasks t0 up to t<n-1>, each once.
func expectTasks(t *testing.T, b *eventstest.Broker, n int) {
	t.Helper()
	counts := map[string]int{}
	for _, msg := range b.Messages(events.StreamTasks) {
		counts[msg.Header.Get(nats.MsgIdHdr)]++
	}
	for i := range n {
		if id := fmt.Sprintf("t%d", i); counts[id] != 1 {
			t.Errorf("%s is stored %d times, want once", id, counts[id])
		}
	}
	if len(counts) != n {
		t.Errorf("%d tasks are stored, want %d", len(counts), n)
	}
}

// stored returns the requests of every message of LOGOUT_REQUESTS.
func stored(t *testing.T, b *eventstest.Broker) [][]events.Request {
	t.Helper()
	var batches [][]events.Request
	for _, msg := range b.Messages(events.StreamRequests) {
		batch, err := events.DecodeRequests(msg.Data)
		if err != nil {
			t.Fatal(err)
		}
		batches = append(batches, batch)
	}
	return batches
}

func indent(t *testing.T, body []byte) string {
	t.Helper()
	var v json.RawMessage = body
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}
