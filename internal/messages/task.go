package messages

import (
	"fmt"

	"github.com/logoutd/logoutd/events"

	"github.com/nats-io/nats.go"
)

// KindPush is the kind of the targets that are push providers.
const KindPush = "push"

// PushRegistration is the registration that a [Task] asks a push provider to
// delete.
type PushRegistration struct {
	ID           string      `json:"id"`
	UserID       string      `json:"user_id"`
	TenantID     string      `json:"tenant_id,omitempty"`
	DeviceID     string      `json:"device_id"`
	AppID        string      `json:"app_id,omitempty"`
	Provider     string      `json:"provider"`
	PushToken    string      `json:"push_token"`
	RegisteredAt events.Time `json:"registered_at"`
}

// Task is one thing that one target has to be told, as it lies on
// [StreamTasks]. It holds the whole request that it comes from.
type Task struct {
	// ID comes from the request and the push registration.
	ID               string           `json:"id"`
	Kind             string           `json:"kind"`   // of the target: push
	Target           string           `json:"target"` // name of the target: the provider
	Request          Request          `json:"request"`
	Cutoff           events.Time      `json:"cutoff"` // as it was applied
	PushRegistration PushRegistration `json:"push_registration"`
	TraceParent      string           `json:"-"` // an attribute of the event
	// RevokedAt is when the store's part was done and the task was put on the
	// stream. Zero until the task fails for the first time.
	RevokedAt events.Time `json:"revoked_at,omitzero"`
	History   History     `json:"history,omitzero"`
}

// NewPushTask returns the task that tells a push provider of a registration
// that a request has revoked up to cutoff. What is behind the request is
// behind the task as well.
func NewPushTask(r Request, cutoff events.Time, reg PushRegistration) Task {
	request := r
	request.History = History{Replays: r.History.Replays}
	return Task{
		ID: r.ID + "_" + reg.ID, Kind: KindPush, Target: reg.Provider,
		Request: request, Cutoff: cutoff, PushRegistration: reg, TraceParent: r.TraceParent,
		History: History{Log: r.History.Log, Dropped: r.History.Dropped, Replayed: r.History.Replayed},
	}
}

// Message returns the task under the given message id.
func (t Task) Message(id string) (*nats.Msg, error) {
	e := NewEvent(t.ID, TypeTask, t.Request.RequestedAt, t.TraceParent, t)
	return message(e, SubjectTask(t.Kind, t.Target), id)
}

// DecodeTask reads a message of [StreamTasks].
func DecodeTask(body []byte) (Task, error) {
	e, err := decode[Task](body, TypeTask)
	if err != nil {
		return Task{}, err
	}
	t := e.Data
	t.TraceParent, t.Request.TraceParent = e.TraceParent, e.TraceParent
	if err := t.Check(); err != nil {
		return Task{}, err
	}
	return t, nil
}

// Check returns an error if the task misses what every task has.
func (t *Task) Check() error {
	if !ValidToken(t.ID) || !ValidToken(t.Kind) || !ValidToken(t.Target) {
		return fmt.Errorf("decoding task: id %q, kind %q or target %q cannot stand in a subject", t.ID, t.Kind, t.Target)
	}
	return nil
}
