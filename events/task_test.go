package events

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func usualTask(i int) Task {
	r := usual(i)
	return NewPushTask(r, r.Cutoff, PushRegistration{
		ID: r.SessionID, UserID: r.UserID, DeviceID: r.DeviceID, AppID: r.AppID, Provider: "http",
		PushToken: "push-" + r.SessionID, RegisteredAt: r.RequestedAt,
	})
}

// expectTask fails unless a reader takes what is written, as encoding/json
// does.
func expectTask(t *testing.T, body []byte) {
	t.Helper()
	got, ok := readTask(body)
	if !ok {
		t.Fatalf("not taken: %s", body)
	}
	var want Event[Task]
	if err := json.Unmarshal(body, &want); err != nil {
		t.Fatalf("taken, but encoding/json says: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("as encoding/json (-) and as read (+):\n%s", diff)
	}
}

func TestFormOfTaskHoldsEveryField(t *testing.T) {
	t.Parallel()
	var n int64
	var e Event[Task]
	expectForm(t, e, &taskEncoder)
	fill(reflect.ValueOf(&e).Elem(), &n)
	full := expectForm(t, e, &taskEncoder)
	if _, ok := readTask(full); ok {
		t.Error("a history is taken, which no reader reads")
	}
	e.Data.History, e.Data.Request.History = History{}, History{}
	expectTask(t, expectForm(t, e, &taskEncoder))
}

// FuzzReadTask compares what is read with encoding/json, which reads the rest.
func FuzzReadTask(f *testing.F) {
	msg, err := usualTask(1).Message("m")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(msg.Data)
	f.Add(append(msg.Data, ' '))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, ok := readTask(body); ok {
			expectTask(t, body)
		}
	})
}

func TestTaskWithAHistoryIsDecoded(t *testing.T) {
	t.Parallel()
	for name, history := range map[string]History{"fresh": {}, "failed": {Attempts: 2, Code: "http_500", Waited: 7}} {
		task := usualTask(1)
		task.History, task.TraceParent, task.Request.TraceParent = history, "00-trace", "00-trace"
		msg, err := task.Message("m")
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeTask(msg.Data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(task, got); diff != "" {
			t.Errorf("%s: sent (-) and decoded (+):\n%s", name, diff)
		}
	}
}

// BenchmarkEncodeTask encodes a task a time.
func BenchmarkEncodeTask(b *testing.B) {
	task := usualTask(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := task.Message("m"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeTask decodes a task a time.
func BenchmarkDecodeTask(b *testing.B) {
	msg, err := usualTask(1).Message("m")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(msg.Data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeTask(msg.Data); err != nil {
			b.Fatal(err)
		}
	}
}
