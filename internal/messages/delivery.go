package messages

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/events"
)

// Delivery is one thing that one target has to be told, a message of [StreamTasks].
// It includes the request that caused it.
type Delivery struct {
	// ID is the request's id, "_" and the target's key for what is delivered.
	ID      string      `json:"id"`
	Kind    string      `json:"kind"`   // of the target
	Target  string      `json:"target"` // the target's name in the settings
	Request Request     `json:"request"`
	Cutoff  events.Time `json:"cutoff"` // as it was applied
	// AppID and DeviceID say what the delivery is about, where that is narrower
	// than the request.
	AppID    string `json:"app_id,omitempty"`
	DeviceID string `json:"device_id,omitempty"`
	// Payload is read by the kind only.
	Payload     jsontext.Value `json:"payload,omitempty"`
	TraceParent string         `json:"-"` // an attribute of the event
	// RevokedAt is when the store's part was done and the delivery was
	// published. Zero until the delivery fails for the first time.
	RevokedAt events.Time `json:"revoked_at,omitzero"`
	History   History     `json:"history,omitzero"`

	// PushRegistration is the payload of deliveries that were published before
	// targets had kinds. [DecodeDelivery] moves it to Payload.
	PushRegistration jsontext.Value `json:"push_registration,omitempty"`
}

// NewDelivery returns a delivery that a request caused. It takes over the
// request's history.
func NewDelivery(r Request, cutoff events.Time, kind, target, key string) Delivery {
	request := r
	request.History = History{Replays: r.History.Replays}
	return Delivery{
		ID: r.ID + "_" + key, Kind: kind, Target: target, Request: request, Cutoff: cutoff, TraceParent: r.TraceParent,
		History: History{Log: r.History.Log, Dropped: r.History.Dropped, Replayed: r.History.Replayed},
	}
}

// Message returns the delivery under the given message id.
func (d Delivery) Message(id string) (*nats.Msg, error) {
	e := NewEvent(d.ID, TypeTask, d.Request.RequestedAt, d.TraceParent, d)
	return message(e, SubjectTask(d.Kind, d.Target), id)
}

// DecodeDelivery reads a message of [StreamTasks].
func DecodeDelivery(body []byte) (Delivery, error) {
	e, err := decode[Delivery](body, TypeTask)
	if err != nil {
		return Delivery{}, err
	}
	d := e.Data
	d.TraceParent, d.Request.TraceParent = e.TraceParent, e.TraceParent
	if d.Payload == nil {
		d.Payload, d.PushRegistration = d.PushRegistration, nil
	}
	return d, d.Check()
}

// Check returns an error if the delivery misses what every delivery has.
func (d *Delivery) Check() error {
	if !ValidToken(d.ID) || !ValidToken(d.Kind) || !ValidToken(d.Target) {
		return fmt.Errorf("decoding delivery: id %q, kind %q or target %q cannot stand in a subject", d.ID, d.Kind, d.Target)
	}
	return nil
}

// Detail is something that operators see of a delivery.
type Detail struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
