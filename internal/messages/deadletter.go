package messages

import (
	"fmt"

	"github.com/logoutd/logoutd/events"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
)

// Steps at which something can fail for good. Every other step is the kind of a
// target that was not told.
const (
	StepDecode = "decode" // the message could not be read
	StepRevoke = "revoke" // the store's part
)

// DeadLetter is a logout, or a part of one, that logoutd has given up. It has
// everything that is needed to understand and replay it.
type DeadLetter struct {
	// ID is the request's or the delivery's id; of a message that could not be
	// read, its sequence in its stream.
	ID     string `json:"id"`
	Step   string `json:"step"`
	Target string `json:"target,omitempty"` // that was not told
	Code   string `json:"code"`             // of the last failure
	Error  string `json:"error"`            // of the last failure, readable
	// Answer is the target's answer at the last failure: at most 1 KiB,
	// printable, without any credential.
	Answer        string      `json:"answer,omitempty"`
	Attempts      int         `json:"attempts"`
	FirstFailedAt events.Time `json:"first_failed_at"`
	LastFailedAt  events.Time `json:"last_failed_at"`
	FailedAt      events.Time `json:"failed_at"` // when it was given up
	Replays       int         `json:"replays"`   // how often it was replayed before
	// Request is the whole request; of a delivery, the one that it comes from.
	Request  *Request  `json:"request,omitempty"`
	Delivery *Delivery `json:"delivery,omitempty"`
	// Subject and Message are those of a message that could not be read.
	Subject string `json:"subject,omitempty"`
	Message []byte `json:"message,omitempty"`
	// AppendedAt is when the broker first had that message.
	AppendedAt events.Time `json:"appended_at,omitzero"`
	// History is the whole history of the request or delivery that failed;
	// Request and Delivery have none here.
	History History `json:"history,omitzero"`
	// Seq is its sequence in [StreamFailed]; set by a read.
	Seq uint64 `json:"-"`
}

// Messages returns the messages of the dead letter and of its public event. key
// makes their message ids unique to this failure: the same request can fail again
// after a replay, and must not be taken for a duplicate then.
func (d DeadLetter) Messages(key string) (letter, announcement *nats.Msg, err error) {
	if !ValidToken(d.ID) || !ValidToken(d.Step) {
		return nil, nil, fmt.Errorf("encoding dead letter: id %q or step %q cannot stand in a subject", d.ID, d.Step)
	}
	traceParent := ""
	if d.Request != nil {
		traceParent = d.Request.TraceParent
	}
	id := d.ID + ".failed." + key
	letter, err = message(NewEvent(d.ID, TypeDeadLetter, d.FailedAt, traceParent, d.bare()), d.subject(), id)
	if err != nil {
		return nil, nil, err
	}
	announcement, err = message(NewEvent(id, events.TypeFailed, d.FailedAt, traceParent, d.public()), events.SubjectRevocationFailed, id)
	return letter, announcement, err
}

func (d DeadLetter) subject() string { return SubjectFailed + d.Step + "." + d.ID }

func (d DeadLetter) public() events.Failed {
	f := events.Failed{
		DeadLetterID: d.ID, Step: d.Step, Target: d.Target, Code: d.Code,
		Attempts: d.Attempts, FirstFailedAt: d.FirstFailedAt, LastFailedAt: d.LastFailedAt,
		Replays: d.Replays, Job: d.History.Job(),
	}
	if r := d.Request; r != nil {
		f.RequestID, f.Dialect, f.Scope = r.ID, r.Dialect, r.Scope
		f.SessionID, f.UserID, f.TenantID = r.SessionID, r.UserID, r.TenantID
		f.AppID, f.DeviceID = r.AppID, r.DeviceID
	}
	return f
}

// whole returns the dead letter with its whole history in History.
func (d DeadLetter) whole() DeadLetter {
	switch {
	case d.Delivery != nil:
		delivery := *d.Delivery
		d.History, delivery.History = or(d.History, delivery.History), History{}
		d.Delivery = &delivery
	case d.Request != nil:
		request := *d.Request
		d.History, request.History = or(d.History, request.History), History{}
		d.Request = &request
	}
	h := &d.History
	h.Attempts, h.Replays, h.Code, h.Error, h.Answer = d.Attempts, d.Replays, d.Code, d.Error, d.Answer
	h.FirstFailedAt, h.LastFailedAt, h.NotBefore = d.FirstFailedAt, d.LastFailedAt, events.Time{}
	return d
}

func or(h, fallback History) History {
	if h.IsZero() {
		return fallback
	}
	return h
}

// bare returns the dead letter as it is encoded: nothing is repeated.
func (d DeadLetter) bare() DeadLetter {
	d = d.whole()
	h := d.History
	d.History = History{Waited: h.Waited, Log: h.Log, Dropped: h.Dropped, Replayed: h.Replayed}
	return d
}

// HeaderHistory holds the history of a message that cannot be read.
const HeaderHistory = "Logoutd-History"

// HistoryOf returns the history of an unreadable message that was replayed, from
// its header. Zero: there is none.
func HistoryOf(header nats.Header) History {
	var h History
	if json.Unmarshal([]byte(header.Get(HeaderHistory)), &h) != nil {
		return History{}
	}
	return h
}

// DecodeDeadLetter reads a message of [StreamFailed]. Its Seq is not set.
func DecodeDeadLetter(body []byte) (DeadLetter, error) {
	e, err := decode[DeadLetter](body, TypeDeadLetter)
	if err != nil {
		return DeadLetter{}, err
	}
	d := e.Data.whole()
	if d.Request != nil {
		d.Request.TraceParent = e.TraceParent
	}
	if d.Delivery != nil {
		d.Delivery.TraceParent, d.Delivery.Request.TraceParent = e.TraceParent, e.TraceParent
	}
	return d, nil
}
