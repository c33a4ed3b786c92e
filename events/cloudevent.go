package events

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go"
)

// Media types of CloudEvents 1.0 (JSON event format, sections 3 and 4).
const (
	ContentType      = "application/cloudevents+json"
	ContentTypeBatch = "application/cloudevents-batch+json"
)

// Types of events (CloudEvents 1.0, attribute "type"). The public ones are
// "logoutd.<scope>.revoked.v1" and TypeFailed.
const (
	TypeRequested     = "logoutd.logout.requested.v1"
	TypeTask          = "logoutd.task.requested.v1"
	TypeDeadLetter    = "logoutd.deadletter.recorded.v1"
	TypeFailed        = "logoutd.revocation.failed.v1"
	TypeOperatorActed = "logoutd.operator.acted.v1"
)

// TypeRevoked returns the type of the public event for a scope.
func TypeRevoked(scope string) string { return "logoutd." + scope + ".revoked.v1" }

// source is the CloudEvents attribute "source" of everything logoutd says.
const source = "/logoutd"

// Event is a CloudEvents 1.0 event with data of type T.
type Event[T any] struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source"`
	Type            string `json:"type"`
	Time            Time   `json:"time"`
	DataContentType string `json:"datacontenttype"`
	// TraceParent is the extension of the CloudEvents distributed tracing
	// documents: the W3C trace context that the event belongs to.
	TraceParent string `json:"traceparent,omitempty"`
	Data        T      `json:"data"`
}

func newEvent[T any](id, typ string, at Time, traceParent string, data T) Event[T] {
	return Event[T]{
		SpecVersion: "1.0", ID: id, Source: source, Type: typ, Time: at,
		DataContentType: "application/json", TraceParent: traceParent, Data: data,
	}
}

// encode returns the event in JSON. What clients say can be invalid UTF-8, which
// becomes U+FFFD.
func (e Event[T]) encode() ([]byte, error) {
	body, err := json.Marshal(&e, jsontext.AllowInvalidUTF8(true), json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("encoding event: %w", err)
	}
	return body, nil
}

// message returns the event as a message, under id for JetStream's
// deduplication.
func (e Event[T]) message(subject, id string) (*nats.Msg, error) {
	body, err := e.encode()
	if err != nil {
		return nil, err
	}
	return newMessage(subject, id, ContentType, e.TraceParent, body), nil
}

func newMessage(subject, id, contentType, traceParent string, body []byte) *nats.Msg {
	header := nats.Header{"content-type": {contentType}, nats.MsgIdHdr: {id}}
	if traceParent != "" {
		header.Set("traceparent", traceParent)
	}
	return &nats.Msg{Subject: subject, Header: header, Data: body}
}

// decode reads one event of the given type.
func decode[T any](body []byte, typ string) (e Event[T], err error) {
	if err := json.Unmarshal(body, &e); err != nil {
		return e, fmt.Errorf("decoding event: %w", err)
	}
	return e, e.check(typ)
}

func (e *Event[T]) check(typ string) error {
	switch {
	case e.SpecVersion != "1.0":
		return fmt.Errorf("decoding event: specversion is %q, not 1.0", e.SpecVersion)
	case e.Type != typ:
		return fmt.Errorf("decoding event: type is %q, not %q", e.Type, typ)
	case e.ID == "":
		return fmt.Errorf("decoding event: no id")
	}
	return nil
}
