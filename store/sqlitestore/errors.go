package sqlitestore

import (
	"context"
	"errors"
	"fmt"

	"github.com/logoutd/logoutd/store"
	"zombiezen.com/go/sqlite"
)

// errClosed is the cause of a call on a store that was closed.
var errClosed = errors.New("closed")

// unavailable turns the error of a whole call into what callers are promised.
// A caller that gave up of its own accord gets its context's error alone.
func unavailable(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
}

// fileError is what SQLite says.
type fileError struct{ error }

func (e fileError) Unwrap() error { return e.error }

// ofItem reports whether err is the failure of one item: its data is refused
// or cannot be read. All else is a failure of the file, the disk or the
// connection, and of the whole call.
func ofItem(err error) bool {
	if e, ok := errors.AsType[fileError](err); ok {
		switch sqlite.ErrCode(e).ToPrimary() {
		case sqlite.ResultConstraint, sqlite.ResultMismatch, sqlite.ResultTooBig, sqlite.ResultCorrupt:
			return true
		}
		return false
	}
	return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}
