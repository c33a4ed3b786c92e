package sqlitestore

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
)

// busyTimeout is for other programs, such as a backup: within the process
// there is one writer.
const busyTimeout = 5 * time.Second

// conn is a connection to the file, for one goroutine at a time. It does without
// database/sql, whose pool, locks and conversions would add a third to every
// statement.
type conn struct {
	config Config
	fences *fences
	sqlite *sqlite.Conn
	// statements are prepared once: parsing costs more than running.
	statements map[string]*sqlite.Stmt
	last       string   // a statement to be run before the connection is closed
	committed  []func() // called when the transaction is committed, before the next one
}

// openConn opens a connection with a page cache of so many KiB.
func openConn(path string, c Config, f *fences, cacheKiB int, pragmas ...string) (*conn, error) {
	opened, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	opened.SetBusyTimeout(busyTimeout)
	made := &conn{config: c, fences: f, sqlite: opened, statements: map[string]*sqlite.Stmt{}}
	for _, pragma := range append(pragmas, fmt.Sprintf("cache_size(-%d)", cacheKiB)) {
		if err := made.script("PRAGMA " + pragma); err != nil {
			return nil, errors.Join(err, made.close())
		}
	}
	return made, nil
}

func (c *conn) close() error {
	if c.last != "" {
		_ = c.script(c.last)
	}
	var err error
	for _, stmt := range c.statements {
		err = errors.Join(err, stmt.Finalize())
	}
	return errors.Join(err, c.sqlite.Close())
}

// script runs statements that have no arguments.
func (c *conn) script(statements string) error {
	for strings.TrimSpace(statements) != "" {
		stmt, left, err := c.sqlite.PrepareTransient(statements)
		if err != nil {
			return fileError{err}
		}
		for more := true; more && err == nil; {
			more, err = stmt.Step()
		}
		if err := errors.Join(err, stmt.Finalize()); err != nil {
			return fileError{err}
		}
		statements = statements[len(statements)-left:]
	}
	return nil
}

// transact runs do in one transaction, which begins with the statement. No
// fence leaves memory before it ends.
func (c *conn) transact(begin string, do func(handle) error) error {
	period := c.fences.enter()
	defer c.fences.leave(period)
	h := handle{conn: c, now: c.config.now(), retention: c.config.retention()}
	h.next = max(h.now, c.fences.latest()+1)
	c.committed = c.committed[:0]
	if _, err := h.exec(begin); err != nil {
		return err
	}
	err := do(h)
	if err == nil {
		if _, err = h.exec(`COMMIT`); err == nil {
			for _, do := range c.committed {
				do()
			}
			return nil
		}
		err = fmt.Errorf("committing: %w", err)
	}
	_, _ = h.exec(`ROLLBACK`) // SQLite may have done so by itself
	return err
}

// whenCommitted calls do when the transaction is committed, and before the
// next one of the connection begins.
func (c *conn) whenCommitted(do func()) { c.committed = append(c.committed, do) }

// handle is what a piece of work has in hand: a connection within a
// transaction, and the time at which it does all that it does.
type handle struct {
	*conn
	now       int64
	next      int64 // of what is registered now: later than every fence so far
	retention int64
}
