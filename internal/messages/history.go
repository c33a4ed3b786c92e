package messages

import (
	"slices"
	"time"

	"github.com/logoutd/logoutd/events"
)

// Bounds of a history, which must fit into a message however often that fails.
const (
	keptFirst   = 5   // failed deliveries at the start
	keptLast    = 15  // and at the end
	keptReplays = 20  // the latest
	maxLogText  = 200 // characters of an entry's error
	// maxErrorText is the same for the latest error, which can quote a message
	// of any length.
	maxErrorText = 1000
)

// History is the past of a message. The message carries it, so that it survives
// every process.
type History struct {
	// Attempts is how many failures counted against the message since its last
	// replay.
	Attempts      int         `json:"attempts,omitzero"`
	FirstFailedAt events.Time `json:"first_failed_at,omitzero"`
	LastFailedAt  events.Time `json:"last_failed_at,omitzero"`
	Code          string      `json:"code,omitempty"`  // of the last failure
	Error         string      `json:"error,omitempty"` // of the last failure, readable, at most 1,000 characters
	// Answer is the target's answer at the last failure: at most 1 KiB,
	// printable, without any credential.
	Answer string `json:"answer,omitempty"`
	// Waited is the time between failures that counted, in milliseconds. Pauses
	// of a target do not add to it.
	Waited int64 `json:"waited_ms,omitzero"`
	// NotBefore is when the next attempt is due.
	NotBefore events.Time `json:"not_before,omitzero"`
	// Replays is how often it was replayed.
	Replays int `json:"replays,omitzero"`
	// Log has the failures that counted, oldest first, across replays: the first
	// 5 and the last 15. Dropped is how many are left out between them.
	Log     []Attempted `json:"log,omitzero"`
	Dropped int         `json:"dropped,omitzero"`
	// Replayed is who replayed it, oldest first: the last 20 replays.
	Replayed []Replayed `json:"replayed,omitzero"`
}

// Attempted is a failure that counted.
type Attempted struct {
	At   events.Time `json:"at"`
	Step string      `json:"step,omitempty"`
	Code string      `json:"code"`
	// Error is readable, without any credential, at most 200 characters.
	Error string `json:"error"`
	// Answer is the target's answer; only [History.Answer] keeps it.
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

// Job returns the job of the last replay. Empty: it was not replayed, or not by a
// job.
func (h History) Job() string {
	if len(h.Replayed) == 0 {
		return ""
	}
	return h.Replayed[len(h.Replayed)-1].Job
}

// WaitedFor returns Waited as a duration.
func (h History) WaitedFor() time.Duration { return time.Duration(h.Waited) * time.Millisecond }

// IsZero reports whether the message has never failed or been replayed.
func (h History) IsZero() bool {
	return h.Attempts == 0 && h.Replays == 0 && h.Log == nil && h.Replayed == nil && h.Dropped == 0 &&
		h.Waited == 0 && h.Code == "" && h.Error == "" && h.Answer == "" &&
		h.FirstFailedAt.IsZero() && h.LastFailedAt.IsZero() && h.NotBefore.IsZero()
}

// Failed returns the history with one more failure.
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

// Replay returns the history of a message that is replayed: retries count from zero
// again, and the log stays.
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
