package overview

import (
	"time"

	"github.com/logoutd/logoutd/internal/deadletters"
)

// Sample is what was measured at one time.
type Sample struct {
	At time.Time
	// Stale tells that the broker did not answer, or not everything: what comes
	// from it is repeated from the sample before.
	Stale bool
	// AcceptedPerSecond is how many logouts this process accepts a second. It
	// is 0 and not known in a process without the front role.
	AcceptedPerSecond float64
	AcceptedKnown     bool
	// RevokedPerSecond is how many logouts are done a second, by all
	// processes. After an outage of the broker it is the average over that.
	RevokedPerSecond float64
	// LatencyMillis is the time from a request to its public event, in
	// milliseconds: the median of some of those done in the last seconds. It
	// is 0 and not known where none was.
	LatencyMillis float64
	LatencyKnown  bool
	// BacklogMessages is how many messages are not done. One of the step
	// revoke holds up to 256 requests.
	BacklogMessages int
	// BacklogOldest is the age of the oldest of them, 0 if there is none.
	BacklogOldest time.Duration
	// Failed is how many dead letters there are.
	Failed int
}

// Target is what waits for one outside system, or for the store.
type Target struct {
	Step string // messages.StepRevoke, or the kind of the target
	Name string // the push provider; empty for the store's part
	// Configured tells that the settings of this process name it. Tasks of a
	// target that is not configured anywhere are done by nobody.
	Configured bool
	Pending    int           // messages that are not done
	Oldest     time.Duration // the age of the oldest of them, 0 if there is none
	// Paused tells that the workers take it to be down. PausedSince and
	// PausedCode, that of the failure, are zero if it is not.
	Paused      bool
	PausedSince time.Time
	PausedCode  string
	// Refused tells that it is paused because it does not accept the
	// credentials of logoutd: somebody has to correct them.
	Refused bool
	// Disabled tells that the target asked for no more deliveries: nothing is
	// sent until an operator enables it.
	Disabled       bool
	DisabledSince  time.Time
	DisabledReason string
}

// Snapshot is the latest sample, and what has no history. Before the first
// sample it is zero.
type Snapshot struct {
	Sample
	// FiguresAt is when the broker last answered, earlier than At in a stale
	// sample. Zero: it never did.
	FiguresAt time.Time
	BrokerOK  bool // it answered
	StoreOK   bool
	// StoreTrouble is why the store is not OK, where it answers and refuses to
	// write; empty otherwise.
	StoreTrouble string
	// Notices are what operators have to know of broker and store, though they
	// work: in sentences.
	Notices []string
	// Groups are the up to [TopGroups] largest groups of dead letters.
	Groups []deadletters.Group
	// Targets are the store's part, then the targets in the order of
	// the settings, then those that are not configured and have tasks, by name.
	// Where there are many, each was asked within as many samples.
	Targets    []Target
	Projection deadletters.Progress // behind Groups
	Jobs       int                  // running
	JobsKnown  bool                 // they were counted at least once
}
