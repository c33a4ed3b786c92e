package events_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
)

var update = flag.Bool("update", false, "write testdata/*.json anew")

const traceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// fullRequest has every field set.
func fullRequest() events.Request {
	return events.Request{
		ID: "user-s1", Dialect: "sap-v2", Initiator: events.InitiatorUser, Scope: "user", Reason: "stolen <phone>",
		SessionID: "s1", UserID: "ü1", TenantID: "t1", AppID: "a1", DeviceID: "d1",
		AuthenticatedAt: events.At(noon.Add(-1e9)), Cutoff: noon, Fenced: true, RequestedAt: noon, TraceParent: traceParent,
		History: events.History{
			Attempts: 2, FirstFailedAt: noon, LastFailedAt: events.At(noon.Add(1e9)), Code: "http_500",
			Error: "the provider answered 500", Waited: 1500, NotBefore: events.At(noon.Add(2e9)), Replays: 1,
		},
	}
}

func pushTask() events.Task {
	return events.NewPushTask(fullRequest(), noon, events.PushRegistration{
		ID: "p1", UserID: "ü1", TenantID: "t1", DeviceID: "d1", AppID: "a1", Provider: "http", PushToken: "push", RegisteredAt: noon,
	})
}

// letter is a dead letter of a request.
func letter() events.DeadLetter {
	r := fullRequest()
	r.History = events.History{}
	return events.DeadLetter{
		ID: r.ID, Step: events.StepRevoke, Target: "store", Code: "http_500", Error: "the provider answered 500", Attempts: 3,
		FirstFailedAt: noon, LastFailedAt: noon, FailedAt: noon, Replays: 1, Request: &r,
		History: events.History{
			Attempts: 3, FirstFailedAt: noon, LastFailedAt: noon, Code: "http_500", Error: "the provider answered 500",
			Waited: 1500, Replays: 1,
			Log: []events.Attempted{
				{At: noon, Step: events.StepRevoke, Code: "internal", Error: "odd", Attempts: 2, Delivered: 1},
				{At: noon, Step: events.StepRevoke, Code: "http_500", Error: "the provider answered 500", Attempts: 3, Delivered: 2},
			},
			Dropped:  1,
			Replayed: []events.Replayed{{At: noon, By: "ada", Reason: "it is mended", Job: "j1"}},
		},
	}
}

// publishOneOfEach publishes a message of each form.
func publishOneOfEach(t *testing.T, p *events.Publisher) {
	t.Helper()
	plain := request("session-s2")
	if err := p.Split(t.Context(), []events.Request{fullRequest(), plain}); err != nil { // one message
		t.Fatal(err)
	}
	task, err := pushTask().Message("user-s1_p1")
	if err != nil {
		t.Fatal(err)
	}
	revoked, err := events.RevokedMessage(events.Revoked{
		Scope: "user", RequestID: "user-s1", Dialect: "sap-v2", Initiator: events.InitiatorUser, Reason: "lost", UserID: "ü1",
		TenantID: "t1", AppID: "a1", DeviceID: "d1", SessionIDs: []string{"s1"}, RevokedBefore: noon, RefreshTokens: 2,
		PushRegistrations: 1, RequestedAt: noon, CompletedAt: noon, DenylistTTLSeconds: 3600,
	}, traceParent)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.All(t.Context(), []*nats.Msg{task}); err != nil {
		t.Fatal(err)
	}
	if err := p.All(t.Context(), []*nats.Msg{revoked}); err != nil {
		t.Fatal(err)
	}
	if err := p.DeadLetter(t.Context(), letter(), 5); err != nil {
		t.Fatal(err)
	}
}

func TestMessagesOnTheWire(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	publishOneOfEach(t, publisher(t, b.JS))
	type headers struct{ Subject, ContentType, MsgID, TraceParent string }
	for _, tt := range []struct {
		stream string
		place  int
		golden string
		want   headers
	}{
		{events.StreamRequests, 0, "requests", headers{"logout.requests", "application/cloudevents-batch+json", "", traceParent}},
		{events.StreamTasks, 0, "task", headers{"logout.tasks.push.http", "application/cloudevents+json", "user-s1_p1", traceParent}},
		{events.StreamEvents, 0, "revoked", headers{"logout.events.user.revoked", "application/cloudevents+json", "user-s1", traceParent}},
		{events.StreamEvents, 1, "failed", headers{"logout.events.revocation.failed", "application/cloudevents+json", "user-s1.failed.5", traceParent}},
		{events.StreamFailed, 0, "deadletter", headers{"logout.failed.revoke.user-s1", "application/cloudevents+json", "user-s1.failed.5", traceParent}},
	} {
		msg := b.Messages(tt.stream)[tt.place]
		got := headers{
			msg.Subject, msg.Header.Get("content-type"), msg.Header.Get(nats.MsgIdHdr), msg.Header.Get("traceparent"),
		}
		if tt.golden == "requests" {
			if got.MsgID == "" {
				t.Error("a batch of requests has no message id")
			}
			got.MsgID = "" // a fresh UUIDv7
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.golden, diff)
		}
		expectGolden(t, tt.golden, msg.Data)
	}
}

func expectGolden(t *testing.T, name string, body []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".json")
	got := indent(t, body)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: %s", path, diff)
	}
}
