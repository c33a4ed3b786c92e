package delivery

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
	// Transient: the message's own if the target answers others meanwhile,
	// else the target's. It is tried again later.
	Transient Class = iota
	// Throttled: the target asks for patience. Nothing is sent to it until
	// RetryAfter has passed, 1 s at least.
	Throttled
	// Permanent: trying this message again is of no use.
	Permanent
	// Unauthorized: the target refuses its credentials. The breaker opens.
	Unauthorized
	// Unreachable: the target as a whole cannot be reached. The breaker opens.
	Unreachable
	// Gone: the target wants to be told nothing more. It is disabled until an
	// operator enables it.
	Gone
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

// Codes of failures that no target causes.
const (
	CodeInternal    = "internal"
	CodeUndecodable = "undecodable"
	CodeCrashed     = "crashed"            // the process, again and again
	CodeStore       = "store_refused"      // by the store
	CodeStoreDown   = "store_unavailable"  // why the revoker pauses
	CodeBrokerDown  = "broker_unavailable" // why the revoker pauses
)

// Attempted returns a failure as it stands in a message's history: that of a
// delivery, in which so many attempts were made.
func (f *Failure) Attempted(step string, attempts int, deliveries uint64, now time.Time) messages.Attempted {
	return messages.Attempted{
		At: events.At(now), Step: step, Code: f.Code, Error: f.Err.Error(),
		Attempts: attempts, Delivered: int(deliveries), Answer: f.Answer,
	}
}

// AsFailure returns err as a failure.
func AsFailure(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return &Failure{Class: Transient, Code: CodeInternal, Err: err}
}
