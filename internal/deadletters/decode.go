package deadletters

import (
	"cmp"
	"strings"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
)

// maxError is how much of an error is kept, in bytes.
const maxError = 500

// CodeUnreadable is the code of a dead letter that cannot be read itself. It
// can be discarded only.
const CodeUnreadable = "unreadable"

// decode reads a message of the stream. What is not a dead letter of ours is
// returned with the code [CodeUnreadable]: operators see that it is there, and
// can discard it.
func decode(subject string, seq uint64, stored time.Time, body []byte) messages.DeadLetter {
	d, err := messages.DecodeDeadLetter(body)
	if err != nil {
		at := events.At(stored)
		d = messages.DeadLetter{Code: CodeUnreadable, Error: err.Error(), FirstFailedAt: at, LastFailedAt: at, FailedAt: at}
		d.Step, d.ID, _ = strings.Cut(strings.TrimPrefix(subject, messages.SubjectFailed), ".")
	}
	d.Seq = seq
	return d
}

// summarize returns what the index keeps of a dead letter under a subject.
func summarize(d messages.DeadLetter, subject string, stored time.Time) Letter {
	l := Letter{
		Seq: d.Seq, Target: d.Target, Code: d.Code, Error: shorten(d.Error), Attempts: d.Attempts, Replays: d.Replays,
		FirstFailedAt: d.FirstFailedAt.Time, FailedAt: d.FailedAt.Time,
	}
	l.Step, l.ID, _ = strings.Cut(strings.TrimPrefix(subject, messages.SubjectFailed), ".")
	if l.FailedAt.IsZero() {
		l.FailedAt = events.At(stored).Time
	}
	if r := d.Request; r != nil {
		l.RequestedAt, l.Cutoff, l.RequestID, l.Scope, l.Dialect = r.RequestedAt.Time, r.Cutoff.Time, r.ID, r.Scope, r.Dialect
		l.TenantID, l.UserID, l.SessionID, l.AppID, l.DeviceID = r.TenantID, r.UserID, r.SessionID, r.AppID, r.DeviceID
	}
	if p := d.Delivery; p != nil {
		l.AppID, l.DeviceID = cmp.Or(p.AppID, l.AppID), cmp.Or(p.DeviceID, l.DeviceID)
		if !p.Cutoff.IsZero() { // as it was applied
			l.Cutoff = p.Cutoff.Time
		}
	}
	return l
}

func shorten(text string) string {
	if len(text) > maxError {
		return strings.ToValidUTF8(text[:maxError], "")
	}
	return text
}

// millis returns a time as the file stores it.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// timeOf is the reverse of millis.
func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
