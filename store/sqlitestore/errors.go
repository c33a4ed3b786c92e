package sqlitestore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/logoutd/logoutd/store"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
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

// ofItem reports whether err is the failure of one item: its data is refused
// or cannot be read. All else is a failure of the file, the disk or the
// connection, and of the whole call.
func ofItem(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_CORRUPT:
			return true
		}
		return false
	}
	for _, whole := range []error{driver.ErrBadConn, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, whole) {
			return false
		}
	}
	return true
}
