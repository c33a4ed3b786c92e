package events

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
	// Replays is how often an operator had replayed it before it failed, Job
	// the job that replayed it, or what it comes from, last.
	Replays int    `json:"replays,omitzero"`
	Job     string `json:"job,omitempty"`
}
