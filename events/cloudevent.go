package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

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

// message returns the event as a message, under id for JetStream's
// deduplication.
func (e Event[T]) message(subject, id string) (*nats.Msg, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encoding event: %w", err)
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

// ErrNotWork is the error of decoding a public event where work should be: it
// is to be acknowledged and forgotten, not made a dead letter.
var ErrNotWork = errors.New("a public event, not work")

// decode reads one event of the given type.
func decode[T any](body []byte, typ string) (Event[T], error) {
	var e Event[T]
	err := json.Unmarshal(body, &e)
	if err != nil {
		err = fmt.Errorf("decoding event: %w", err)
	} else {
		err = e.check(typ)
	}
	return e, unlessPublic(body, err)
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

// unlessPublic returns the error of decoding body, if there is one: ErrNotWork
// where it is a public event.
func unlessPublic(body []byte, err error) error {
	if err != nil && isPublic(body) {
		return ErrNotWork
	}
	return err
}

// isPublic reports whether body is a public event, or what a push consumer
// that delivers headers only leaves of one. On a private stream it is no work:
// a subscriber has directed a push consumer at its subject, which no
// permission of the broker can forbid.
func isPublic(body []byte) bool {
	if len(body) == 0 {
		return true
	}
	var e Event[json.RawMessage]
	if json.Unmarshal(body, &e) != nil {
		return false
	}
	return e.Type == TypeFailed || e.Type == TypeOperatorActed ||
		strings.HasPrefix(e.Type, "logoutd.") && strings.HasSuffix(e.Type, ".revoked.v1")
}
