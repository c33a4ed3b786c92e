package events

import (
	"fmt"

	"github.com/nats-io/nats.go"
)

// Steps at which something can fail for good.
const (
	StepDecode = "decode" // the message could not be read
	StepRevoke = "revoke" // the store's part
	StepPush   = "push"   // telling a push provider
)

// DeadLetter is a logout, or a part of one, that logoutd has given up on. It
// holds everything that is needed to understand and to replay it.
type DeadLetter struct {
	// ID is the request's or the task's id; of a message that could not be
	// read, its place in its stream.
	ID            string `json:"id"`
	Step          string `json:"step"`
	Target        string `json:"target,omitempty"` // the push provider
	Code          string `json:"code"`             // of the last failure
	Error         string `json:"error"`            // of the last failure, readable
	Attempts      int    `json:"attempts"`
	FirstFailedAt Time   `json:"first_failed_at"`
	LastFailedAt  Time   `json:"last_failed_at"`
	FailedAt      Time   `json:"failed_at"` // when it was given up
	Replays       int    `json:"replays"`   // how often it was replayed before
	// Request is the whole request; of a task, the one that it comes from.
	Request *Request `json:"request,omitempty"`
	Task    *Task    `json:"task,omitempty"`
	// Subject and Message are what could not be read, as it was.
	Subject string `json:"subject,omitempty"`
	Message []byte `json:"message,omitempty"`
	// Seq is the letter's place in StreamFailed; set by a read.
	Seq uint64 `json:"-"`
}

// Failed is the data of the public event that announces a dead letter.
type Failed struct {
	DeadLetterID  string `json:"dead_letter_id"`
	Step          string `json:"step"`
	Target        string `json:"target,omitempty"`
	Code          string `json:"code"`
	Attempts      int    `json:"attempts"`
	FirstFailedAt Time   `json:"first_failed_at"`
	LastFailedAt  Time   `json:"last_failed_at"`
	RequestID     string `json:"request_id,omitempty"`
	Dialect       string `json:"dialect,omitempty"`
	Scope         string `json:"scope,omitempty"`
	SessionID     string `json:"session_id,omitempty"`
	UserID        string `json:"user_id,omitempty"`
	TenantID      string `json:"tenant_id,omitempty"`
	AppID         string `json:"app_id,omitempty"`
	DeviceID      string `json:"device_id,omitempty"`
}

// messages returns the dead letter and its public announcement. key makes
// their message ids unique to this failure: the same letter may fail anew
// after a replay, and must not be taken for a duplicate then.
func (d DeadLetter) messages(key string) (letter, announcement *nats.Msg, err error) {
	if !validToken(d.ID) || !validToken(d.Step) {
		return nil, nil, fmt.Errorf("encoding dead letter: id %q or step %q cannot stand in a subject", d.ID, d.Step)
	}
	traceParent := ""
	if d.Request != nil {
		traceParent = d.Request.TraceParent
	}
	id := d.ID + ".failed." + key
	letter, err = newEvent(d.ID, TypeDeadLetter, d.FailedAt, traceParent, d).message(d.subject(), id)
	if err != nil {
		return nil, nil, err
	}
	announcement, err = newEvent(id, TypeFailed, d.FailedAt, traceParent, d.public()).
		message(subjectRevocationFail, id)
	return letter, announcement, err
}

func (d DeadLetter) subject() string { return subjectFailed + d.Step + "." + d.ID }

func (d DeadLetter) public() Failed {
	f := Failed{
		DeadLetterID: d.ID, Step: d.Step, Target: d.Target, Code: d.Code,
		Attempts: d.Attempts, FirstFailedAt: d.FirstFailedAt, LastFailedAt: d.LastFailedAt,
	}
	if r := d.Request; r != nil {
		f.RequestID, f.Dialect, f.Scope = r.ID, r.Dialect, r.Scope
		f.SessionID, f.UserID, f.TenantID = r.SessionID, r.UserID, r.TenantID
		f.AppID, f.DeviceID = r.AppID, r.DeviceID
	}
	return f
}

// replay returns the message that puts the work of the letter back where it
// came from, with its retries counted anew. The message id is bound to this
// letter, so that two operators replay it once.
func (d DeadLetter) replay() (*nats.Msg, error) {
	id := fmt.Sprintf("%s.replay.%d", d.ID, d.Seq)
	history := History{Replays: d.Replays + 1}
	switch {
	case d.Task != nil:
		task := *d.Task
		task.History = history
		return task.Message(id)
	case d.Request != nil:
		request := *d.Request
		request.History = history
		return requestBatch(id, []Request{request})
	case d.Subject == "":
		return nil, fmt.Errorf("%w that can be read; discard it", ErrNoDeadLetter)
	default:
		msg := newMessage(d.Subject, id, ContentType, "", d.Message)
		if d.Subject == SubjectRequests {
			msg.Header.Set("content-type", ContentTypeBatch)
		}
		return msg, nil
	}
}
