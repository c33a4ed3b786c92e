package messages

import (
	"slices"
	"time"

	"github.com/logoutd/logoutd/events"
)

// Bounds of a history: it travels in a message, however often that fails.
const (
	keptFirst   = 5   // failed deliveries at the start
	keptLast    = 15  // and at the end
	keptReplays = 20  // the latest
	maxLogText  = 200 // characters of what is said in an entry
	// maxErrorText is the same for the latest error. It may quote a message of
	// any length.
	maxErrorText = 1000
)

// History is what a message has behind it. It travels in the message, so that
// it survives every process.
type History struct {
	// Attempts that failed and were the message's own fault, since it was
	// replayed last.
	Attempts      int         `json:"attempts,omitzero"`
	FirstFailedAt events.Time `json:"first_failed_at,omitzero"`
	LastFailedAt  events.Time `json:"last_failed_at,omitzero"`
	Code          string      `json:"code,omitempty"`  // of the last failure
	Error         string      `json:"error,omitempty"` // of the last failure, readable, at most 1,000 characters
	// Answer is what the target said at the last failure: at most 1 KiB,
	// printable, without any credential.
	Answer string `json:"answer,omitempty"`
	// Waited is the time spent between its own failures, in milliseconds.
	// Pauses of a target do not add to it.
	Waited int64 `json:"waited_ms,omitzero"`
	// NotBefore is when the next attempt is due.
	NotBefore events.Time `json:"not_before,omitzero"`
	// Replays is how often an operator has replayed it.
	Replays int `json:"replays,omitzero"`
	// Log is each delivery that failed, also before a replay, oldest first:
	// the first 5 and the last 15. Dropped is how many are left out between
	// them.
	Log     []Attempted `json:"log,omitzero"`
	Dropped int         `json:"dropped,omitzero"`
	// Replayed is who has replayed it, oldest first: the last 20 times.
	Replayed []Replayed `json:"replayed,omitzero"`
}

// Attempted is a delivery that failed.
type Attempted struct {
	At   events.Time `json:"at"`
	Step string      `json:"step,omitempty"`
	Code string      `json:"code"`
	// Error is readable, without any credential, at most 200 characters.
	Error string `json:"error"`
	// Answer is what the target said; it is kept in [History.Answer] only.
	Answer    string `json:"-"`
	Attempts  int    `json:"attempts"`  // within the delivery
	Delivered int    `json:"delivered"` // how often the broker has delivered the message; a retry is a new message
}

// Replayed is a replay by an operator.
type Replayed struct {
	At     events.Time `json:"at"`               // default now
	By     string      `json:"by,omitempty"`     // the name of the operator's token
	Reason string      `json:"reason,omitempty"` // at most 200 characters; the audit log has all
	Job    string      `json:"job,omitempty"`    // the job that it was a part of
}

// Job returns the job that replayed the message last; empty: it was not
// replayed, or not by a job.
func (h History) Job() string {
	if len(h.Replayed) == 0 {
		return ""
	}
	return h.Replayed[len(h.Replayed)-1].Job
}

// WaitedFor returns Waited as a duration.
func (h History) WaitedFor() time.Duration { return time.Duration(h.Waited) * time.Millisecond }

// IsZero reports whether nothing has ever failed or been replayed.
func (h History) IsZero() bool {
	return h.Attempts == 0 && h.Replays == 0 && h.Log == nil && h.Replayed == nil && h.Dropped == 0 &&
		h.Waited == 0 && h.Code == "" && h.Error == "" && h.Answer == "" &&
		h.FirstFailedAt.IsZero() && h.LastFailedAt.IsZero() && h.NotBefore.IsZero()
}

// Failed returns the history with one more delivery that failed.
func (h History) Failed(a Attempted) History {
	h.Attempts += a.Attempts
	h.Code, h.Error, h.Answer, h.LastFailedAt = a.Code, cut(a.Error, maxErrorText), a.Answer, a.At
	if h.FirstFailedAt.IsZero() {
		h.FirstFailedAt = a.At
	}
	a.Error, a.Answer = cut(a.Error, maxLogText), ""
	h.Log = append(slices.Clip(h.Log), a)
	if len(h.Log) > keptFirst+keptLast {
		h.Log = slices.Delete(h.Log, keptFirst, keptFirst+1)
		h.Dropped++
	}
	return h
}

// Replay returns the history of a message that is replayed: its retries are
// counted anew, what has happened stays.
func (h History) Replay(r Replayed) History {
	if r.At.IsZero() {
		r.At = events.At(time.Now())
	}
	r.By, r.Reason, r.Job = cut(r.By, maxLogText), cut(r.Reason, maxLogText), cut(r.Job, maxLogText)
	all := append(slices.Clip(h.Replayed), r)
	return History{
		Replays: h.Replays + 1, Log: h.Log, Dropped: h.Dropped,
		Replayed: all[max(len(all)-keptReplays, 0):],
	}
}

// cut returns at most the first n characters of s.
func cut(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}
