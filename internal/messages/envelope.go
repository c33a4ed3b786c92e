package messages

import (
	"fmt"

	"github.com/logoutd/logoutd/events"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go"
)

// ContentTypeBatch is the media type of a batch of events (CloudEvents 1.0, JSON
// event format, section 4).
const ContentTypeBatch = "application/cloudevents-batch+json"

// Types of the private events (CloudEvents 1.0, attribute "type").
const (
	TypeRequested     = "logoutd.logout.requested.v1"
	TypeTask          = "logoutd.task.requested.v1"
	TypeDeadLetter    = "logoutd.deadletter.recorded.v1"
	TypeOperatorActed = "logoutd.operator.acted.v1"
)

// source is the CloudEvents attribute "source" of all events of logoutd.
const source = "/logoutd"

// NewEvent returns an event of logoutd.
func NewEvent[T any](id, typ string, at events.Time, traceParent string, data T) events.Event[T] {
	return events.Event[T]{
		SpecVersion: "1.0", ID: id, Source: source, Type: typ, Time: at,
		DataContentType: "application/json", TraceParent: traceParent, Data: data,
	}
}

// Encode returns an event in JSON. Invalid UTF-8 that clients sent becomes U+FFFD.
func Encode[T any](e events.Event[T]) ([]byte, error) {
	body, err := json.Marshal(&e, jsontext.AllowInvalidUTF8(true), json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("encoding event: %w", err)
	}
	return body, nil
}

// message returns the event as a message, under id for JetStream's
// deduplication.
func message[T any](e events.Event[T], subject, id string) (*nats.Msg, error) {
	body, err := Encode(e)
	if err != nil {
		return nil, err
	}
	return NewMessage(subject, id, events.ContentType, e.TraceParent, body), nil
}

func NewMessage(subject, id, contentType, traceParent string, body []byte) *nats.Msg {
	header := nats.Header{"content-type": {contentType}, nats.MsgIdHdr: {id}}
	if traceParent != "" {
		header.Set("traceparent", traceParent)
	}
	return &nats.Msg{Subject: subject, Header: header, Data: body}
}

// decode reads one event of the given type.
func decode[T any](body []byte, typ string) (e events.Event[T], err error) {
	if err := json.Unmarshal(body, &e); err != nil {
		return e, fmt.Errorf("decoding event: %w", err)
	}
	return e, check(&e, typ)
}

func check[T any](e *events.Event[T], typ string) error {
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
