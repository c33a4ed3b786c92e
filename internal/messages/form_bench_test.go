package messages

import (
	"fmt"
	"testing"
	"time"

	"github.com/logoutd/logoutd/events"
)

// usual is what front ends publish most: it is in no way special.
func usual(i int) Request {
	now := events.At(time.Now())
	id := fmt.Sprintf("%043d", i)
	return Request{
		ID: RequestID("user", id), Dialect: "sap-v2", Initiator: InitiatorUser, Scope: "user",
		SessionID: id, UserID: fmt.Sprintf("user-%d", i), AppID: "com.example.app", DeviceID: fmt.Sprintf("device-%d", i),
		AuthenticatedAt: now, Cutoff: now, Fenced: true, RequestedAt: now,
	}
}

func usuals(n int) []Request {
	requests := make([]Request, n)
	for i := range requests {
		requests[i] = usual(i)
	}
	return requests
}

// BenchmarkEncodeRequest encodes a request a time.
func BenchmarkEncodeRequest(b *testing.B) {
	requests := usuals(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := EncodeRequests(requests); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeRequests decodes a full message a time.
func BenchmarkDecodeRequests(b *testing.B) {
	msg, err := RequestBatch("m", usuals(MaxBatch))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(msg.Data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeRequests(msg.Data); err != nil {
			b.Fatal(err)
		}
	}
}
