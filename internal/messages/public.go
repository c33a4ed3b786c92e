package messages

import (
	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/events"
)

// RevokedMessage returns the public event r, under the request's id: the same
// however often the request is redelivered.
func RevokedMessage(r events.Revoked, traceParent string) (*nats.Msg, error) {
	e := NewEvent(r.RequestID, events.TypeRevoked(r.Scope), r.CompletedAt, traceParent, r)
	return message(e, events.SubjectRevoked(r.Scope), r.RequestID)
}
