package messages_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

func golden(t testing.TB, name string) string {
	t.Helper()
	body, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestDecodeReturnsWhatWasEncoded(t *testing.T) {
	t.Parallel()
	requests, err := messages.DecodeRequests([]byte(golden(t, "requests")))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]messages.Request{testkit.FullRequest(), testkit.Request("session-s2")}, requests); diff != "" {
		t.Error(diff)
	}
	task, err := messages.DecodeDelivery([]byte(golden(t, "task")))
	if err != nil {
		t.Fatal(err)
	}
	want := testkit.Delivery()
	if diff := cmp.Diff(want, task, samePayload); diff != "" {
		t.Error(diff)
	}
}

// TestCandidatesBecomeRequests: also where encoding/json has to read them.
func TestCandidatesBecomeRequests(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	entry := messages.Request{
		ID: "entry", Dialect: "sap_v2", Initiator: "user", Scope: "user", Candidates: []string{"s1", "s2", "s3"},
		Cutoff: testkit.Noon, RequestedAt: testkit.Noon, TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	}
	other := testkit.Request("r")
	other.Fenced = false // so that they share a message
	if err := testkit.NewPublisher(t, b.JS).Requests(t.Context(), entry, other); err != nil {
		t.Fatal(err)
	}
	want := []messages.Request{}
	for _, id := range entry.Candidates {
		r := entry
		r.Candidates, r.SessionID, r.ID = nil, id, messages.RequestID("user", id)
		want = append(want, r)
	}
	want = append(want, other)
	body := b.Messages(messages.StreamRequests)[0].Data
	for _, body := range [][]byte{body, append([]byte(" "), body...)} {
		got, err := messages.DecodeRequests(body)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	}
	for _, bad := range []string{`""`, `"a.b"`, `1`} {
		if _, err := messages.DecodeRequests([]byte(strings.Replace(string(body), `"s2"`, bad, 1))); err == nil {
			t.Errorf("the candidate %s is accepted", bad)
		}
	}
}

func TestDecodeRequestsRefuses(t *testing.T) {
	t.Parallel()
	body := golden(t, "requests")
	for name, tt := range map[string]struct{ old, new, want string }{
		"no JSON":         {"[", "(", "invalid character"},
		"a single event":  {body, golden(t, "task"), "unmarshal JSON object"},
		"null":            {body, "null", "null is no batch"},
		"an empty event":  {body, "[{}]", `specversion is ""`},
		"another version": {`"specversion": "1.0"`, `"specversion": "2.0"`, `specversion is "2.0"`},
		"another type":    {`"type": "logoutd.logout`, `"type": "x.logout`, `type is "x.logout`},
		"no event id":     {`"id": "user-s1"`, `"id": ""`, "no id"},
		"no id":           {`"id": "user-s1",` + "\n" + `      "dialect"`, `"dialect"`, `id ""`},
		"id with a dot":   {`"id": "user-s1",` + "\n" + `      "dialect"`, `"id": "a.b", "dialect"`, `id "a.b" cannot stand in a subject`},
		"unknown scope":   {`"scope": "user"`, `"scope": "galaxy"`, `unknown scope "galaxy"`},
		"nobody":          {`"session_id": "s1",` + "\n" + `      "user_id": "ü1"`, `"session_id": ""`, "neither session nor user"},
		"no cutoff":       {`"cutoff": "2026-03-01T11:00:00.123Z"`, `"cutoff": null`, "no cutoff"},
		"a bad time":      {`"cutoff": "2026-03-01T11:00:00.123Z"`, `"cutoff": "yesterday"`, "not an RFC 3339 time"},
	} {
		if !strings.Contains(body, tt.old) {
			t.Fatalf("%s: the golden file lacks %s", name, tt.old)
		}
		_, err := messages.DecodeRequests([]byte(strings.Replace(body, tt.old, tt.new, 1)))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", name, err, tt.want)
		}
	}
}

func TestDecodeDeliveryRefuses(t *testing.T) {
	t.Parallel()
	body := golden(t, "task")
	for name, tt := range map[string]struct{ old, new, want string }{
		"no JSON":      {"{", "(", "invalid character"},
		"a batch":      {body, golden(t, "requests"), "unmarshal JSON array"},
		"null":         {body, "null", `specversion is ""`},
		"another type": {`"type": "logoutd.task`, `"type": "x.task`, `type is "x.task`},
		"no kind":      {`"kind": "http"`, `"kind": ""`, `kind ""`},
		"a wildcard":   {`"target": "http"`, `"target": ">"`, `target ">" cannot stand in a subject`},
	} {
		_, err := messages.DecodeDelivery([]byte(strings.Replace(body, tt.old, tt.new, 1)))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", name, err, tt.want)
		}
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		time events.Time
		want string
	}{
		{events.Time{}, `null`},
		{events.At(time.Time{}), `null`},
		{testkit.Noon, `"2026-03-01T11:00:00.123Z"`},
		{events.Time{Time: time.Date(2026, 3, 1, 1, 0, 0, 0, time.FixedZone("", 7200))}, `"2026-02-28T23:00:00.000Z"`},
	} {
		body, err := json.Marshal(tt.time)
		if err != nil || string(body) != tt.want {
			t.Errorf("encoding %v: %s, %v, want %s", tt.time, body, err, tt.want)
		}
		var back events.Time
		if err := json.Unmarshal(body, &back); err != nil || !back.Equal(tt.time.Time) {
			t.Errorf("decoding %s: %v, %v", body, back, err)
		}
	}
	var got events.Time
	if err := json.Unmarshal([]byte(`"2026-03-01T12:00:00.123456+01:00"`), &got); err != nil || got != testkit.Noon {
		t.Errorf("decoding an offset and microseconds: %v, %v, want %v", got, err, testkit.Noon)
	}
	for _, body := range []string{`""`, `17`, `"2026-03-01"`, `{}`, `"9999-12-31T23:59:59-01:00"`, `"0000-01-01T00:00:00+01:00"`} {
		if err := json.Unmarshal([]byte(body), &got); err == nil {
			t.Errorf("decoding %s: no error", body)
		}
	}
}

// Whatever a decoder takes it can encode and take again.
func FuzzDecodeRequests(f *testing.F) {
	for _, name := range []string{"requests", "revoked", "failed", "task"} {
		f.Add([]byte(golden(f, name)))
	}
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, body []byte) {
		requests, err := messages.DecodeRequests(body)
		if err != nil {
			return
		}
		if len(requests) == 0 {
			t.Error("neither requests nor an error")
		}
		for _, r := range requests {
			task := testkit.PushDelivery(r, r.Cutoff, testkit.Registration{ID: "p", Provider: "http"})
			msg, err := task.Message("m")
			if err != nil {
				t.Fatal(err)
			}
			if again, err := messages.DecodeDelivery(msg.Data); err != nil || again.ID != task.ID {
				t.Errorf("task %q of a request: %q, %v", task.ID, again.ID, err)
			}
		}
	})
}

func FuzzDecodeDelivery(f *testing.F) {
	for _, name := range []string{"task", "revoked", "failed", "deadletter"} {
		f.Add([]byte(golden(f, name)))
	}
	failed := testkit.DeliveryLetter()
	failed.Delivery.History = failed.History
	body, err := failed.Delivery.Message("m")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body.Data)
	f.Fuzz(func(t *testing.T, body []byte) {
		task, err := messages.DecodeDelivery(body)
		if err != nil {
			return
		}
		msg, err := task.Message("m")
		if err != nil {
			t.Fatal(err)
		}
		again, err := messages.DecodeDelivery(msg.Data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(task, again, samePayload); diff != "" {
			t.Error(diff)
		}
	})
}

// samePayload compares payloads without white space.
var samePayload = cmp.Comparer(func(a, b jsontext.Value) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	a, b = a.Clone(), b.Clone()
	return a.Compact() == nil && b.Compact() == nil && string(a) == string(b)
})

// TestDeliveryFromBeforeKinds: its payload stands under push_registration.
func TestDeliveryFromBeforeKinds(t *testing.T) {
	t.Parallel()
	d, err := messages.DecodeDelivery([]byte(golden(t, "task_before_kinds")))
	if err != nil {
		t.Fatal(err)
	}
	if want := testkit.Delivery(); d.Kind != "push" || d.Target != want.Target || !cmp.Equal(d.Payload, want.Payload, samePayload) {
		t.Errorf("%+v", d)
	}
}
