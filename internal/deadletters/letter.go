package deadletters

import "time"

// Letter is what the projection keeps of a dead letter: enough to find it and
// to tell it from others, and no credential.
type Letter struct {
	Seq      uint64 // its place in events.StreamFailed
	ID       string // as in events.DeadLetter; the same when it fails anew, under another Seq
	Step     string
	Target   string // the push provider; empty where it failed elsewhere
	Code     string // of the last failure; "unreadable" for what is no dead letter of ours
	Error    string // of the last failure, cut to 500 bytes
	Attempts int
	Replays  int // how often it was replayed before

	FirstFailedAt time.Time
	FailedAt      time.Time // when it was given up; never zero
	RequestedAt   time.Time // by a front end's clock; zero: not known
	// Cutoff is the latest time up to which a replay revokes, by the store's
	// clock. Zero: not known.
	Cutoff time.Time

	// Of the request, empty where it is not known. App and device are those of
	// the push registration where the letter is about one.
	RequestID string
	Scope     string
	Dialect   string
	TenantID  string
	AppID     string
	UserID    string
	DeviceID  string
	SessionID string
}

// Group is the letters of a filter that failed at the same step and target
// with the same code.
type Group struct {
	Step, Target, Code string

	Count       int
	Users       int       // how many users they concern
	First, Last time.Time // of their FailedAt
	SampleID    string    // of the last one
	SampleError string    // of the last one
}

// Page is a part of a list.
type Page struct {
	Letters []Letter // newest first
	Next    string   // continues the list after them; empty at its end
	Total   int      // how many letters the filter selects, on all pages
}

// Progress is how far the projection is.
type Progress struct {
	// Ready tells that it has caught up with the stream. Before that, answers
	// lack letters.
	Ready bool
	// Done and Total count the letters that it has and that there are.
	Done, Total uint64
}
