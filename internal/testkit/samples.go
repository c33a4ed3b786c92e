package testkit

import (
	"encoding/json"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
)

// TraceParent is a W3C trace context.
const TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// Noon is a time with an offset and more digits than the wire has.
var Noon = events.At(time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("", 3600)))

// Request is a request under an id.
func Request(id string) messages.Request {
	return messages.Request{
		ID: id, Dialect: "kratos", Initiator: messages.InitiatorUser, Scope: "session", SessionID: "s-" + id,
		UserID: "u", Cutoff: Noon, Fenced: true, RequestedAt: Noon,
	}
}

// FullRequest has every field set.
func FullRequest() messages.Request {
	return messages.Request{
		ID: "user-s1", Dialect: "sap-v2", Initiator: messages.InitiatorUser, Scope: "user", Reason: "stolen <phone>",
		SessionID: "s1", UserID: "ü1", TenantID: "t1", AppID: "a1", DeviceID: "d1",
		AuthenticatedAt: events.At(Noon.Add(-1e9)), Cutoff: Noon, Fenced: true, RequestedAt: Noon, TraceParent: TraceParent,
		History: messages.History{
			Attempts: 2, FirstFailedAt: Noon, LastFailedAt: events.At(Noon.Add(1e9)), Code: "http_500",
			Error: "the provider answered 500", Waited: 1500, NotBefore: events.At(Noon.Add(2e9)), Replays: 1,
		},
	}
}

// Registration is the payload of a delivery of the kind http.
type Registration struct {
	ID           string      `json:"id"`
	UserID       string      `json:"user_id"`
	TenantID     string      `json:"tenant_id,omitempty"`
	DeviceID     string      `json:"device_id"`
	AppID        string      `json:"app_id,omitempty"`
	Provider     string      `json:"provider"`
	PushToken    string      `json:"push_token"`
	RegisteredAt events.Time `json:"registered_at"`
}

// PushDelivery is a delivery to the push provider of a registration.
func PushDelivery(r messages.Request, cutoff events.Time, reg Registration) messages.Delivery {
	d := messages.NewDelivery(r, cutoff, "http", reg.Provider, reg.ID)
	d.AppID, d.DeviceID = reg.AppID, reg.DeviceID
	d.Payload, _ = json.Marshal(reg) // it has only strings and a time
	return d
}

// Delivery is a delivery of [FullRequest].
func Delivery() messages.Delivery {
	return PushDelivery(FullRequest(), Noon, Registration{
		ID: "p1", UserID: "ü1", TenantID: "t1", DeviceID: "d1", AppID: "a1", Provider: "http", PushToken: "push", RegisteredAt: Noon,
	})
}

// RequestLetter is a dead letter of a request.
func RequestLetter() messages.DeadLetter {
	r := FullRequest()
	r.History = messages.History{}
	return messages.DeadLetter{
		ID: r.ID, Step: messages.StepRevoke, Target: "store", Code: "http_500", Error: "the provider answered 500", Attempts: 3,
		FirstFailedAt: Noon, LastFailedAt: Noon, FailedAt: Noon, Replays: 1, Request: &r,
		History: messages.History{
			Attempts: 3, FirstFailedAt: Noon, LastFailedAt: Noon, Code: "http_500", Error: "the provider answered 500",
			Waited: 1500, Replays: 1,
			Log: []messages.Attempted{
				{At: Noon, Step: messages.StepRevoke, Code: "internal", Error: "odd", Attempts: 2, Delivered: 1},
				{At: Noon, Step: messages.StepRevoke, Code: "http_500", Error: "the provider answered 500", Attempts: 3, Delivered: 2},
			},
			Dropped:  1,
			Replayed: []messages.Replayed{{At: Noon, By: "ada", Reason: "it is mended", Job: "j1"}},
		},
	}
}

// DeliveryLetter is a dead letter of [Delivery].
func DeliveryLetter() messages.DeadLetter {
	delivery, r := Delivery(), FullRequest()
	delivery.RevokedAt = Noon
	return messages.DeadLetter{
		ID: delivery.ID, Step: "http", Target: "http", Code: "http_400", Error: "no", Attempts: 5,
		FirstFailedAt: Noon, LastFailedAt: Noon, FailedAt: Noon, Replays: 2, Request: &r, Delivery: &delivery,
		History: messages.History{
			Attempts: 5, FirstFailedAt: Noon, LastFailedAt: Noon, Code: "http_400", Error: "no", Replays: 2,
			Log: []messages.Attempted{{At: Noon, Step: "http", Code: "http_400", Error: "no", Attempts: 5, Delivered: 1}},
		},
	}
}
