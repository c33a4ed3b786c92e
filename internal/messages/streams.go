package messages

import (
	"strings"

	"github.com/logoutd/logoutd/events"
)

// Streams that only logoutd reads. All streams have file storage, limits
// retention and DiscardNew: a full stream refuses new messages and keeps the
// old ones.
const (
	StreamRequests = "LOGOUT_REQUESTS" // batches of logout requests, read by the revoker
	StreamTasks    = "LOGOUT_TASKS"    // what targets have to be told, one durable consumer a target
	StreamFailed   = "LOGOUT_FAILED"   // dead letters, one a subject, until replayed or discarded
	StreamAudit    = "LOGOUT_AUDIT"    // what operators did, kept for ever
)

// Streams returns the names of all streams.
func Streams() []string {
	return []string{StreamRequests, StreamTasks, events.StreamEvents, StreamFailed, StreamAudit}
}

// Subjects.
const (
	SubjectRequests = "logout.requests"
	// SubjectUnfenced is the subject of requests whose fence was skipped, or
	// whose user the store has to be asked for. [StreamRequests] has it too.
	SubjectUnfenced = "logout.requests.unfenced"
	// FilterRequests matches every subject of [StreamRequests].
	FilterRequests = ">"
	SubjectTasks   = "logout.tasks."  // + <target kind>.<name>
	SubjectFailed  = "logout.failed." // + <step>.<id>
	SubjectAudit   = "logout.audit."  // + <action>
	// SubjectLettersRemoved announces at once which dead letters are gone: a JSON
	// list of their sequences in [StreamFailed]. No stream keeps it: without a
	// connection the announcement is lost.
	SubjectLettersRemoved = "logout.operators.removed"
)

// Durable consumers of the workers.
const (
	ConsumerRevoker = "revoker"
	consumerTarget  = "target-" // + <target kind>-<name>
)

// SubjectTask returns the subject of a target's deliveries. Both parts are made of
// letters, digits, "-" and "_".
func SubjectTask(kind, name string) string { return SubjectTasks + kind + "." + name }

// TargetName names a target.
type TargetName struct{ Kind, Name string }

// TargetOf returns the kind and name of the target that a subject of
// [StreamTasks] is for.
func TargetOf(subject string) (kind, name string, ok bool) {
	below, ok := strings.CutPrefix(subject, SubjectTasks)
	kind, name, found := strings.Cut(below, ".")
	return kind, name, ok && found && !strings.Contains(name, ".")
}

// ConsumerTarget returns the durable consumer of a target.
func ConsumerTarget(kind, name string) string { return consumerTarget + kind + "-" + name }
