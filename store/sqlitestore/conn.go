package sqlitestore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"modernc.org/sqlite"
)

// conn is a connection to the file, for one goroutine at a time. It uses the
// driver without database/sql, whose pool, locks and conversions would add a
// fifth to every statement.
type conn struct {
	config Config
	fences *fences
	driver driver.Conn
	// statements are prepared once: parsing costs more than running.
	statements map[string]statement
	last       string // a statement to be run before the connection is closed

	args   []driver.NamedValue // of the statement that is about to run
	values []driver.Value      // of the row that is being read
}

type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// openConn opens a connection with a page cache of so many KiB.
func openConn(path string, c Config, f *fences, cacheKiB int, pragmas ...string) (*conn, error) {
	connector, err := sqlite.NewConnector(dsn(path, append(pragmas, fmt.Sprintf("cache_size(-%d)", cacheKiB))...))
	if err != nil {
		return nil, err
	}
	opened, err := connector.Connect(context.Background())
	if err != nil {
		return nil, err
	}
	return &conn{config: c, fences: f, driver: opened, statements: map[string]statement{}}, nil
}

// dsn names the file to the driver. busy_timeout is for other programs, such
// as a backup: within the process there is one writer.
func dsn(path string, pragmas ...string) string {
	q := url.Values{"_pragma": append([]string{"busy_timeout(5000)"}, pragmas...)}
	u := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: q.Encode()}
	return u.String()
}

func (c *conn) close() error {
	if c.last != "" {
		_ = c.script(c.last)
	}
	var err error
	for _, stmt := range c.statements {
		err = errors.Join(err, stmt.Close())
	}
	return errors.Join(err, c.driver.Close())
}

// script runs statements that have no arguments.
func (c *conn) script(statements string) error {
	_, err := c.driver.(driver.ExecerContext).ExecContext(context.Background(), statements, nil)
	return err
}

// transact runs do in one transaction, which begins with the statement. No
// fence leaves memory before it ends.
func (c *conn) transact(begin string, do func(handle) error) error {
	period := c.fences.enter()
	defer c.fences.leave(period)
	h := handle{conn: c, now: c.config.now(), retention: c.config.retention()}
	h.next = max(h.now, c.fences.latest()+1)
	if _, err := h.exec(begin); err != nil {
		return err
	}
	err := do(h)
	if err == nil {
		if _, err = h.exec(`COMMIT`); err == nil {
			return nil
		}
		err = fmt.Errorf("committing: %w", err)
	}
	_, _ = h.exec(`ROLLBACK`) // SQLite may have done so by itself
	return err
}

// handle is what a piece of work has in hand: a connection within a
// transaction, and the time at which it does all that it does.
type handle struct {
	*conn
	now       int64
	next      int64 // of what is registered now: later than every fence so far
	retention int64
}
