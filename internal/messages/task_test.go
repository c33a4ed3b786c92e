package messages

import (
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
