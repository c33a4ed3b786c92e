package store

import (
	"errors"
	"fmt"
	"time"
)

// ErrUnavailable is wrapped by an error of a whole call: the store could not
// be reached, did not answer in time, or refuses work (loading, read-only, out
// of memory). Nothing is wrong with the items of the call; try all of them
// again later. Every method is safe to repeat.
var ErrUnavailable = errors.New("store unavailable")

// RefusedError is an [ErrUnavailable] of a store that answers and refuses to
// write. Its text holds no address and no credential: anybody can read it.
type RefusedError struct {
	Code   string // of the store, such as READONLY
	Reason string // in words
}

func (e *RefusedError) Error() string { return "refuses writes: " + e.Code + ": " + e.Reason }

// Unwrap returns [ErrUnavailable].
func (e *RefusedError) Unwrap() error { return ErrUnavailable }

// ErrUnknownParent is the error of a registration whose session_id or
// rotated_from names something the store does not know.
var ErrUnknownParent = errors.New("not registered")

// ErrOtherUser is the error of a registration under an id that belongs to
// another user, or whose parent does.
var ErrOtherUser = errors.New("belongs to another user")

// ErrRevoked matches every [RevokedError].
var ErrRevoked = errors.New("revoked")

// RevokedError refuses a registration: the item itself, or what it is bound
// to, has ended, or it was authenticated at or before a cutoff.
type RevokedError struct {
	Cutoff time.Time // when it ended, or the cutoff that it does not clear
}

func (e *RevokedError) Error() string {
	return fmt.Sprintf("revoked: not after the cutoff %s", e.Cutoff.UTC().Format("2006-01-02T15:04:05.000Z07:00"))
}

// Is reports whether target is [ErrRevoked].
func (e *RevokedError) Is(target error) bool { return target == ErrRevoked }
