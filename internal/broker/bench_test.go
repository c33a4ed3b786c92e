package broker_test

import (
	"fmt"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

func revokedEvent(i int) events.Revoked {
	return events.Revoked{
		Scope: "user", RequestID: fmt.Sprintf("user-%043d", i), Dialect: "sap-v2", Initiator: messages.InitiatorUser,
		UserID: fmt.Sprintf("user-%d", i), AppID: "com.example.app", DeviceID: fmt.Sprintf("device-%d", i),
		SessionIDs: []string{fmt.Sprintf("%043d", i), fmt.Sprintf("%043d", -i)}, RevokedBefore: testkit.Noon,
		RefreshTokens: 2, RequestedAt: testkit.Noon, CompletedAt: testkit.Noon, DenylistTTLSeconds: 3600,
	}
}

// BenchmarkEncodeRevoked encodes a public event a time.
func BenchmarkEncodeRevoked(b *testing.B) {
	e := revokedEvent(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := messages.RevokedMessage(e, ""); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPublishRevoked encodes 256 public events a time and publishes them
// on the embedded broker, which syncs them.
func BenchmarkPublishRevoked(b *testing.B) {
	p := broker.NewPublisher(eventstest.Start(b).JS, nil)
	b.Cleanup(p.Close)
	b.ReportAllocs()
	for i := 0; b.Loop(); i += 256 {
		msgs := make([]*nats.Msg, 256)
		for k := range msgs {
			msg, err := messages.RevokedMessage(revokedEvent(i+k), "")
			if err != nil {
				b.Fatal(err)
			}
			msgs[k] = msg
		}
		if err := p.All(b.Context(), msgs); err != nil {
			b.Fatal(err)
		}
	}
}
