package events

// Streams. All have file storage, limits retention and DiscardNew: a full
// stream refuses, it never forgets.
const (
	StreamRequests = "LOGOUT_REQUESTS" // batches of logout requests, read by the revoker
	StreamTasks    = "LOGOUT_TASKS"    // what targets have to be told, one durable consumer a target
	StreamEvents   = "LOGOUT_EVENTS"   // public, kept 72 h
	StreamFailed   = "LOGOUT_FAILED"   // dead letters, one a subject, until replayed or discarded
	StreamAudit    = "LOGOUT_AUDIT"    // what operators did, for ever
)

// Streams returns the names of all streams.
func Streams() []string {
	return []string{StreamRequests, StreamTasks, StreamEvents, StreamFailed, StreamAudit}
}

// Subjects.
const (
	SubjectRequests = "logout.requests"
	// SubjectUnfenced is that of requests whose fence was skipped, or whose
	// user the store has to be asked for. It lies on [StreamRequests] too.
	SubjectUnfenced = "logout.requests.unfenced"
	// FilterRequests matches all that lies on [StreamRequests].
	FilterRequests = ">"
	subjectTasks   = "logout.tasks."  // + <target kind>.<name>
	subjectEvents  = "logout.events." // + <scope>.revoked
	subjectFailed  = "logout.failed." // + <step>.<id>
	subjectAudit   = "logout.audit."  // + <action>
	// SubjectLive begins the subjects under which the broker republishes each
	// public event as soon as it is on [StreamEvents]: logout.live.session.revoked
	// for logout.events.session.revoked. It is sent once, to those who subscribe
	// at the moment. The header Nats-Sequence is its sequence on the stream, which
	// has no holes: who subscribes to logout.live.> sees what is missing, and reads
	// it from the stream.
	SubjectLive = "logout.live."
	// SubjectRevocationFailed is that of the public event of a dead letter
	// ([Failed]).
	SubjectRevocationFailed = "logout.events.revocation.failed"
	// SubjectLettersRemoved tells at once which dead letters are gone: a JSON
	// list of their places in [StreamFailed]. No stream keeps it, and where
	// the connection fails it is lost.
	SubjectLettersRemoved = "logout.operators.removed"
)

// BucketPaused is the key-value bucket of what is paused at the moment
// ([Paused]), one key a step and target. What is not written again is
// forgotten after [PausedTTL].
const BucketPaused = "logoutd_paused"

// Durable consumers of the workers.
const (
	ConsumerRevoker = "revoker"
	consumerTarget  = "target-" // + <target kind>-<name>
)

// SubjectTask returns the subject of a target's tasks. Both parts are made of
// letters, digits, "-" and "_".
func SubjectTask(kind, name string) string { return subjectTasks + kind + "." + name }

// SubjectRevoked returns the subject of the public event for a scope.
func SubjectRevoked(scope string) string { return subjectEvents + scope + ".revoked" }

// ConsumerTarget returns the durable consumer of a target.
func ConsumerTarget(kind, name string) string { return consumerTarget + kind + "-" + name }
