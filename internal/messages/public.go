package messages

import (
	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/events"
)

// RevokedEvent returns the public event of r, under the request's id: the same
// however often the request is redelivered.
func RevokedEvent(r events.Revoked, traceParent string) events.Event[events.Revoked] {
	return NewEvent(r.RequestID, events.TypeRevoked(r.Scope), r.CompletedAt, traceParent, r)
}

// RevokedMessage returns the message that publishes [RevokedEvent].
func RevokedMessage(r events.Revoked, traceParent string) (*nats.Msg, error) {
	return message(RevokedEvent(r, traceParent), events.SubjectRevoked(r.Scope), r.RequestID)
}
