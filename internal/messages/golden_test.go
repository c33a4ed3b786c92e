package messages_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

var update = flag.Bool("update", false, "write testdata/*.json anew")

// publishOneOfEach publishes a message of each form.
func publishOneOfEach(t *testing.T, p *broker.Publisher) {
	t.Helper()
	plain := testkit.Request("session-s2")
	if err := p.Split(t.Context(), []messages.Request{testkit.FullRequest(), plain}); err != nil { // one message
		t.Fatal(err)
	}
	fresh, putBack := unfenced()
	if err := p.Split(t.Context(), []messages.Request{fresh, putBack}); err != nil {
		t.Fatal(err)
	}
	task, err := testkit.Delivery().Message("user-s1_p1")
	if err != nil {
		t.Fatal(err)
	}
	revoked, err := messages.RevokedMessage(events.Revoked{
		Scope: "user", RequestID: "user-s1", Dialect: "sap-v2", Initiator: messages.InitiatorUser, Reason: "lost", UserID: "ü1",
		TenantID: "t1", AppID: "a1", DeviceID: "d1", SessionIDs: []string{"s1"}, RevokedBefore: testkit.Noon, RefreshTokens: 2,
		PushRegistrations: 1, RequestedAt: testkit.Noon, CompletedAt: testkit.Noon, DenylistTTLSeconds: 3600,
	}, testkit.TraceParent)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.All(t.Context(), []*nats.Msg{task}); err != nil {
		t.Fatal(err)
	}
	if err := p.All(t.Context(), []*nats.Msg{revoked}); err != nil {
		t.Fatal(err)
	}
	if err := p.DeadLetter(t.Context(), testkit.RequestLetter(), 5); err != nil {
		t.Fatal(err)
	}
}

// unfenced returns requests whose fence was skipped: one logout with two
// candidates, and one that was put back once a worker had found its bound.
func unfenced() (fresh, putBack messages.Request) {
	fresh = messages.Request{
		ID: "session-s3", Dialect: "kratos", Initiator: messages.InitiatorUser, Scope: "session", Candidates: []string{"s3", "s4"},
		RequestedAt: testkit.Noon, TraceParent: testkit.TraceParent,
	}
	putBack = messages.Request{
		ID: "user-s5", Dialect: "sap-v2", Initiator: messages.InitiatorUser, Scope: "user", SessionID: "s5",
		Cutoff: events.At(testkit.Noon.Add(-1e6)), AppendedAt: events.At(testkit.Noon.Add(1e9)), RequestedAt: testkit.Noon,
	}
	return fresh, putBack
}

func TestMessagesOnTheWire(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	publishOneOfEach(t, testkit.NewPublisher(t, b.JS))
	type headers struct{ Subject, ContentType, MsgID, TraceParent string }
	for _, tt := range []struct {
		stream string
		place  int
		golden string
		want   headers
	}{
		{messages.StreamRequests, 0, "requests", headers{"logout.requests", "application/cloudevents-batch+json", "", testkit.TraceParent}},
		{messages.StreamRequests, 1, "unfenced", headers{"logout.requests.unfenced", "application/cloudevents-batch+json", "", testkit.TraceParent}},
		{messages.StreamTasks, 0, "task", headers{"logout.tasks.http.http", "application/cloudevents+json", "user-s1_p1", testkit.TraceParent}},
		{events.StreamEvents, 0, "revoked", headers{"logout.events.user.revoked", "application/cloudevents+json", "user-s1", testkit.TraceParent}},
		{events.StreamEvents, 1, "failed", headers{"logout.events.revocation.failed", "application/cloudevents+json", "user-s1.failed.5", testkit.TraceParent}},
		{messages.StreamFailed, 0, "deadletter", headers{"logout.failed.revoke.user-s1", "application/cloudevents+json", "user-s1.failed.5", testkit.TraceParent}},
	} {
		msg := b.Messages(tt.stream)[tt.place]
		got := headers{
			msg.Subject, msg.Header.Get("content-type"), msg.Header.Get(nats.MsgIdHdr), msg.Header.Get("traceparent"),
		}
		if tt.stream == messages.StreamRequests {
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

func indent(t *testing.T, body []byte) string {
	t.Helper()
	var v json.RawMessage = body
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}
