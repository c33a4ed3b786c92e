package events

import (
	"fmt"

	"github.com/nats-io/nats.go"
)

// KindPush is the kind of the targets that are push providers.
const KindPush = "push"

// PushRegistration is the registration that a [Task] asks a push provider to
// delete.
type PushRegistration struct {
	ID           string `json:"id"`
	UserID       string `json:"user_id"`
	TenantID     string `json:"tenant_id,omitempty"`
	DeviceID     string `json:"device_id"`
	AppID        string `json:"app_id,omitempty"`
	Provider     string `json:"provider"`
	PushToken    string `json:"push_token"`
	RegisteredAt Time   `json:"registered_at"`
}

// Task is one thing that one target has to be told, as it lies on
// [StreamTasks]. It holds the whole request that it comes from.
type Task struct {
	// ID comes from the request and the push registration.
	ID               string           `json:"id"`
	Kind             string           `json:"kind"`   // of the target: push
	Target           string           `json:"target"` // name of the target: the provider
	Request          Request          `json:"request"`
	Cutoff           Time             `json:"cutoff"` // as it was applied
	PushRegistration PushRegistration `json:"push_registration"`
	TraceParent      string           `json:"-"` // an attribute of the event
	// RevokedAt is when the store's part was done and the task was put on the
	// stream. Zero until the task fails for the first time.
	RevokedAt Time    `json:"revoked_at,omitzero"`
	History   History `json:"history,omitzero"`
}

// NewPushTask returns the task that tells a push provider of a registration
// that a request has revoked up to cutoff. What is behind the request is
// behind the task as well.
func NewPushTask(r Request, cutoff Time, reg PushRegistration) Task {
	request := r
	request.History = History{Replays: r.History.Replays}
	return Task{
		ID: r.ID + "_" + reg.ID, Kind: KindPush, Target: reg.Provider,
		Request: request, Cutoff: cutoff, PushRegistration: reg, TraceParent: r.TraceParent,
		History: History{Log: r.History.Log, Dropped: r.History.Dropped, Replayed: r.History.Replayed},
	}
}

func formOfTask[F form](f F, t *Task) {
	f.text(`{"id":`, &t.ID)
	f.text(`,"kind":`, &t.Kind)
	f.text(`,"target":`, &t.Target)
	f.literal(`,"request":`)
	formOfRequest(f, &t.Request)
	f.time(`,"cutoff":`, &t.Cutoff)
	f.literal(`,"push_registration":`)
	formOfPushRegistration(f, &t.PushRegistration)
	f.optionalTime(`,"revoked_at":`, &t.RevokedAt)
	f.history(`,"history":`, &t.History)
	f.literal(`}`)
}

func formOfPushRegistration[F form](f F, p *PushRegistration) {
	f.text(`{"id":`, &p.ID)
	f.text(`,"user_id":`, &p.UserID)
	f.optional(`,"tenant_id":`, &p.TenantID)
	f.text(`,"device_id":`, &p.DeviceID)
	f.optional(`,"app_id":`, &p.AppID)
	f.text(`,"provider":`, &p.Provider)
	f.text(`,"push_token":`, &p.PushToken)
	f.time(`,"registered_at":`, &p.RegisteredAt)
	f.literal(`}`)
}

var taskEncoder = encoder[Task]{data: formOfTask[*writer]}

// Message returns the task under the given message id.
func (t Task) Message(id string) (*nats.Msg, error) {
	body, err := taskEncoder.encode(newEvent(t.ID, TypeTask, t.Request.RequestedAt, t.TraceParent, t))
	if err != nil {
		return nil, err
	}
	return newMessage(SubjectTask(t.Kind, t.Target), id, ContentType, t.TraceParent, body), nil
}

// readTask reads a task in its form; false: it is not in it.
func readTask(body []byte) (Event[Task], bool) {
	r := &reader{rest: string(body)}
	var e Event[Task]
	formOfEvent(r, &e, formOfTask[*reader])
	return e, !r.lost && r.rest == ""
}

// DecodeTask reads a message of [StreamTasks]. The strings of the task share
// their memory.
func DecodeTask(body []byte) (Task, error) {
	e, ok := readTask(body)
	var err error
	if ok {
		err = e.check(TypeTask)
	} else {
		e, err = decode[Task](body, TypeTask)
	}
	if err != nil {
		return Task{}, err
	}
	t := e.Data
	t.TraceParent, t.Request.TraceParent = e.TraceParent, e.TraceParent
	if err := t.check(); err != nil {
		return Task{}, err
	}
	return t, nil
}

func (t *Task) check() error {
	if !validToken(t.ID) || !validToken(t.Kind) || !validToken(t.Target) {
		return fmt.Errorf("decoding task: id %q, kind %q or target %q cannot stand in a subject", t.ID, t.Kind, t.Target)
	}
	return nil
}
