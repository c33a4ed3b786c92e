package events

import "time"

// StreamEvents is the stream of the public events. It keeps each for
// [EventsRetention].
const StreamEvents = "LOGOUT_EVENTS"

// EventsRetention is how long public events are kept.
const EventsRetention = 72 * time.Hour

// Subjects of the public events.
const (
	// SubjectEvents begins the subjects of [StreamEvents]:
	// logout.events.<scope>.revoked and [SubjectRevocationFailed].
	SubjectEvents = "logout.events."
	// SubjectLive begins the subjects under which the broker republishes each
	// public event as soon as it is on [StreamEvents]: logout.live.session.revoked
	// for logout.events.session.revoked. Only those who are subscribed at that
	// moment get it. Its header Nats-Sequence is the sequence on the stream, which
	// has no gaps: a subscriber to logout.live.> sees what it has missed, and reads
	// it from the stream.
	SubjectLive = "logout.live."
	// SubjectRevocationFailed is the subject of [Failed].
	SubjectRevocationFailed = "logout.events.revocation.failed"
)

// SubjectRevoked returns the subject of [Revoked] for a scope.
func SubjectRevoked(scope string) string { return SubjectEvents + scope + ".revoked" }
