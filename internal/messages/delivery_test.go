package messages

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

func usualDelivery(i int) Delivery {
	r := usual(i)
	d := NewDelivery(r, r.Cutoff, "http", "http", r.SessionID)
	d.DeviceID, d.AppID, d.Payload = r.DeviceID, r.AppID, jsontext.Value(`{"push_token":"push-`+r.SessionID+`"}`)
	return d
}

func TestDeliveryWithAHistoryIsDecoded(t *testing.T) {
	t.Parallel()
	for name, history := range map[string]History{"fresh": {}, "failed": {Attempts: 2, Code: "http_500", Waited: 7}} {
		task := usualDelivery(1)
		task.History, task.TraceParent, task.Request.TraceParent = history, "00-trace", "00-trace"
		msg, err := task.Message("m")
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeDelivery(msg.Data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(task, got); diff != "" {
			t.Errorf("%s: sent (-) and decoded (+):\n%s", name, diff)
		}
	}
}

// BenchmarkEncodeDelivery encodes a task a time.
func BenchmarkEncodeDelivery(b *testing.B) {
	task := usualDelivery(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := task.Message("m"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeDelivery decodes a task a time.
func BenchmarkDecodeDelivery(b *testing.B) {
	msg, err := usualDelivery(1).Message("m")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(msg.Data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeDelivery(msg.Data); err != nil {
			b.Fatal(err)
		}
	}
}
