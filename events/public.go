package events

import "github.com/nats-io/nats.go"

// RevokedMessage returns the public event r, under the request's id: the same
// however often the request is redelivered.
func RevokedMessage(r Revoked, traceParent string) (*nats.Msg, error) {
	e := NewEvent(r.RequestID, TypeRevoked(r.Scope), r.CompletedAt, traceParent, r)
	return message(e, SubjectRevoked(r.Scope), r.RequestID)
}
