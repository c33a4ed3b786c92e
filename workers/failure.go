package workers

import (
	"errors"
	"fmt"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
)

// Class says whose fault a failure is, and so what follows from it.
type Class int

// The classes of failure.
const (
	// Transient: the message's own unless other messages fail as well;
	// then the target is down. It is tried again later.
	Transient Class = iota
	// Throttled: the target asks for patience with this message.
	Throttled
	// Permanent: trying this message again is of no use.
	Permanent
	// Unauthorized: the target refuses its credentials; the message's own
	// only if other messages succeed.
	Unauthorized
	// Unreachable: the target as a whole cannot be reached.
	Unreachable
)

// Failure is an error that says what to do about it. Any other error counts
// as Transient, with the code "internal".
type Failure struct {
	Class Class
	// Code is a short constant for metrics and for grouping dead letters,
	// such as "timeout" or "http_500".
	Code string
	// RetryAfter is how long the target asks to be left alone, 0 if it does
	// not say.
	RetryAfter time.Duration
	// Err is the cause, readable, without any credential.
	Err error
	// Answer is what the target said: its first KiB, printable, without any
	// credential. Empty: nothing.
	Answer string
}

func (f *Failure) Error() string { return fmt.Sprintf("%s: %v", f.Code, f.Err) }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Codes of failures that are not a target's own.
const (
	codeInternal    = "internal"
	codeUndecodable = "undecodable"
	codeCrashed     = "crashed"
	codeStore       = "store_refused"
	codeStoreDown   = "store_unavailable"
	codeBrokerDown  = "broker_unavailable"
)

// attempted returns a failure as it stands in a message's history: that of a
// delivery, in which so many attempts were made.
func (f *Failure) attempted(step string, attempts int, deliveries uint64, now time.Time) messages.Attempted {
	return messages.Attempted{
		At: events.At(now), Step: step, Code: f.Code, Error: f.Err.Error(),
		Attempts: attempts, Delivered: int(deliveries), Answer: f.Answer,
	}
}

// asFailure returns err as a failure.
func asFailure(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return &Failure{Class: Transient, Code: codeInternal, Err: err}
}
