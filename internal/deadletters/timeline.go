package deadletters

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/logoutd/logoutd/internal/messages"
)

// What happened, in a timeline.
const (
	Requested     = "requested"
	Fenced        = "fenced"
	Revoked       = "revoked" // the store's part is done; what follows is of a target
	FailedAttempt = "failed attempt"
	LeftOut       = "left out" // failed deliveries that nobody has kept
	Replayed      = "replayed"
	GivenUp       = "given up"
)

// Entry is one line of a timeline.
type Entry struct {
	At       time.Time
	What     string // such as FailedAttempt
	Detail   string // readable; of a failure, its error
	Code     string // of a failure
	By       string // the name of the token with which it was replayed
	Attempts int    // of a failed delivery, those within it; of GivenUp, all since the latest replay
}

// Timeline returns what is known of a dead letter's life, in order of time.
func Timeline(d messages.DeadLetter) []Entry {
	var entries []Entry
	if d.Request != nil {
		entries = requested(*d.Request)
	}
	if d.Delivery != nil && !d.Delivery.RevokedAt.IsZero() {
		entries = append(entries, Entry{
			At: d.Delivery.RevokedAt.Time, What: Revoked,
			Detail: fmt.Sprintf("in the store, and published; %s %s was still to be told", d.Delivery.Kind, d.Delivery.Target),
		})
	}
	entries = append(entries, failures(d)...)
	for _, r := range d.History.Replayed {
		entries = append(entries, Entry{At: r.At.Time, What: Replayed, Detail: reason(r), By: r.By})
	}
	entries = append(entries, Entry{At: d.FailedAt.Time, What: GivenUp, Detail: d.Error, Code: d.Code, Attempts: d.Attempts})
	slices.SortStableFunc(entries, func(a, b Entry) int { return a.At.Compare(b.At) })
	return entries
}

func requested(r messages.Request) []Entry {
	detail := fmt.Sprintf("%s logout by %s, %s", r.Scope, r.Initiator, r.Dialect)
	if r.Reason != "" {
		detail += ": " + r.Reason
	}
	entries := []Entry{{At: r.RequestedAt.Time, What: Requested, Detail: detail}}
	if !r.Fenced {
		return entries
	}
	at := r.Cutoff.Time // the store's clock then, unless the session had ended before
	if at.Before(r.RequestedAt.Time) {
		at = r.RequestedAt.Time
	}
	return append(entries, Entry{At: at, What: Fenced, Detail: "revokes what was authenticated up to " + r.Cutoff.String()})
}

// failures returns an entry a failed delivery. A letter without a log tells of
// the first and the last one only.
func failures(d messages.DeadLetter) []Entry {
	if len(d.History.Log) == 0 {
		return outerFailures(d)
	}
	var entries []Entry
	for i, a := range d.History.Log {
		entries = append(entries, Entry{
			At: a.At.Time, What: FailedAttempt, Detail: a.Error, Code: a.Code, Attempts: a.Attempts,
		})
		if i+1 == leftOutAfter && d.History.Dropped > 0 {
			entries = append(entries, Entry{
				At: a.At.Time, What: LeftOut, Detail: fmt.Sprintf("%d more failed deliveries are not kept", d.History.Dropped),
			})
		}
	}
	return entries
}

// leftOutAfter is how many of the first failed deliveries package events keeps.
const leftOutAfter = 5

func outerFailures(d messages.DeadLetter) []Entry {
	if d.LastFailedAt.IsZero() {
		return nil
	}
	last := Entry{At: d.LastFailedAt.Time, What: FailedAttempt, Detail: d.Error, Code: d.Code}
	if d.FirstFailedAt.IsZero() || d.FirstFailedAt.Equal(d.LastFailedAt.Time) {
		return []Entry{last}
	}
	return []Entry{{At: d.FirstFailedAt.Time, What: FailedAttempt}, last}
}

func reason(r messages.Replayed) string {
	if r.Job == "" {
		return r.Reason
	}
	return cmp.Or(r.Reason, "no reason") + ", job " + r.Job
}
