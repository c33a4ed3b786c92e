package events

import "github.com/nats-io/nats.go"

// Revoked is the data of the public event: a logout is done, everything it
// covers is revoked. New optional fields may come; none changes its meaning.
type Revoked struct {
	Scope     string `json:"scope"` // session, user or device
	RequestID string `json:"request_id"`
	Dialect   string `json:"dialect"`
	Initiator string `json:"initiator"` // user, admin or system
	Reason    string `json:"reason,omitempty"`
	UserID    string `json:"user_id,omitempty"` // empty where sessions are kept elsewhere
	TenantID  string `json:"tenant_id,omitempty"`
	// AppID and DeviceID are those of the session that was presented, or the
	// device that an operator named. They narrow what is revoked in the scope
	// device only.
	AppID    string `json:"app_id,omitempty"`
	DeviceID string `json:"device_id,omitempty"`
	// SessionIDs are the sessions revoked: base64url(SHA-256(token)),
	// unpadded. The first 1,000; then Truncated is set.
	SessionIDs []string `json:"session_ids"`
	Truncated  bool     `json:"truncated"`
	// RevokedBefore is the cutoff: whatever the scope covers and was
	// authenticated at or before it is revoked.
	RevokedBefore     Time `json:"revoked_before"`
	RefreshTokens     int  `json:"refresh_tokens"`     // how many were revoked
	PushRegistrations int  `json:"push_registrations"` // how many were deleted
	RequestedAt       Time `json:"requested_at"`
	CompletedAt       Time `json:"completed_at"`
	// DenylistTTLSeconds is how long from CompletedAt a subscriber that
	// accepts self-contained tokens must remember the event.
	DenylistTTLSeconds int64 `json:"denylist_ttl_seconds"`
}

// Message returns the public event, under the request's id: the same however
// often the request is redelivered.
func (r Revoked) Message(traceParent string) (*nats.Msg, error) {
	e := newEvent(r.RequestID, TypeRevoked(r.Scope), r.CompletedAt, traceParent, r)
	return e.message(SubjectRevoked(r.Scope), r.RequestID)
}
