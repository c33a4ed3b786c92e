package sqlitestore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
)

// get returns the prepared statement. SQLite prepares a statement anew at each
// call if its plan may depend on a bound value: so it is LIMIT ? + 0 instead
// of LIMIT ?.
func (c *conn) get(query string) (statement, error) {
	if stmt, ok := c.statements[query]; ok {
		return stmt, nil
	}
	prepared, err := c.driver.Prepare(query)
	if err != nil {
		return nil, err
	}
	stmt := prepared.(statement)
	c.statements[query] = stmt
	return stmt, nil
}

// bind returns the arguments as the driver wants them: integers, strings and
// nil.
func (c *conn) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, arg := range args {
		if n, ok := arg.(int); ok {
			arg = int64(n)
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: arg})
	}
	return c.args
}

// exec runs a statement and returns how many rows it changed. Statements take
// microseconds: none is interrupted by a context.
func (h handle) exec(query string, args ...any) (int, error) {
	stmt, err := h.get(query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(context.Background(), h.bind(args))
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// row scans the one row that the query may have, and reports whether it had.
func (h handle) row(query string, args []any, dest ...any) (found bool, err error) {
	err = h.rows(query, args, func(scan func(...any) error) error {
		found = true
		return scan(dest...)
	})
	return found && err == nil, err
}

// rows calls scan for each row of the query.
func (h handle) rows(query string, args []any, scan func(scan func(dest ...any) error) error) (err error) {
	stmt, err := h.get(query)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(context.Background(), h.bind(args))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	h.values = slices.Grow(h.values[:0], len(rows.Columns()))[:len(rows.Columns())]
	for {
		err := rows.Next(h.values)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = scan(h.scan)
		}
		if err != nil {
			return err
		}
	}
}

// scan reads the row into dest: pointers to string, int, int64, bool or any.
func (c *conn) scan(dest ...any) error {
	for i, value := range c.values {
		ok := true
		switch to := dest[i].(type) {
		case *string:
			*to, ok = value.(string)
		case *int64:
			*to, ok = value.(int64)
		case *int:
			var n int64
			n, ok = value.(int64)
			*to = int(n)
		case *bool:
			var n int64
			n, ok = value.(int64)
			*to = n != 0
		case *any:
			*to = value
		default:
			ok = false
		}
		if !ok {
			return fmt.Errorf("column %d holds a %T, which does not fit into a %T", i, value, dest[i])
		}
	}
	return nil
}
