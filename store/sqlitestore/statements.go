package sqlitestore

import (
	"fmt"

	"zombiezen.com/go/sqlite"
)

// get returns the prepared statement. SQLite prepares a statement again at each
// call if its plan may depend on a bound value: so it is LIMIT ? + 0 instead
// of LIMIT ?.
func (c *conn) get(query string) (*sqlite.Stmt, error) {
	if stmt, ok := c.statements[query]; ok {
		return stmt, nil
	}
	stmt, _, err := c.sqlite.PrepareTransient(query)
	if err != nil {
		return nil, fileError{err}
	}
	c.statements[query] = stmt
	return stmt, nil
}

// bind binds the arguments: integers, strings and nil. Those of the statement's
// last run are still bound: too few would be taken from there.
func bind(stmt *sqlite.Stmt, args []any) error {
	n := stmt.BindParamCount()
	if len(args) < n {
		return fmt.Errorf("%d arguments for a statement that takes %d", len(args), n)
	}
	for i, arg := range args[:n] {
		switch value := arg.(type) {
		case string:
			stmt.BindText(i+1, value)
		case int64:
			stmt.BindInt64(i+1, value)
		case int:
			stmt.BindInt64(i+1, int64(value))
		case nil:
			stmt.BindNull(i + 1)
		default:
			return fmt.Errorf("argument %d is a %T", i+1, arg)
		}
	}
	return nil
}

// exec runs a statement and returns how many rows it changed. Statements take
// microseconds: none is interrupted by a context.
func (h handle) exec(query string, args ...any) (int, error) {
	err := h.rows(query, args, func(func(...any) error) error { return nil })
	return h.sqlite.Changes(), err
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
func (h handle) rows(query string, args []any, scan func(scan func(dest ...any) error) error) error {
	stmt, err := h.get(query)
	if err != nil {
		return err
	}
	if err := bind(stmt, args); err != nil {
		return err
	}
	defer func() { _ = stmt.Reset() }() // it repeats the error of the last step
	row := func(dest ...any) error { return scanRow(stmt, dest) }
	for {
		more, err := stmt.Step()
		switch {
		case err != nil:
			return fileError{err}
		case !more:
			return nil
		}
		if err := scan(row); err != nil {
			return err
		}
	}
}

// scanRow reads the row into dest: pointers to string, int, int64, bool or any.
func scanRow(stmt *sqlite.Stmt, dest []any) error {
	for i, to := range dest {
		if err := scanColumn(stmt, i, to); err != nil {
			return err
		}
	}
	return nil
}

func scanColumn(stmt *sqlite.Stmt, i int, to any) error {
	holds := stmt.ColumnType(i)
	fits := holds == sqlite.TypeInteger
	switch to := to.(type) {
	case *string:
		fits = holds == sqlite.TypeText
		*to = stmt.ColumnText(i)
	case *int64:
		*to = stmt.ColumnInt64(i)
	case *int:
		*to = stmt.ColumnInt(i)
	case *bool:
		*to = stmt.ColumnInt64(i) != 0
	case *any: // a column of a key, to be an argument again
		if *to = stmt.ColumnInt64(i); holds == sqlite.TypeText {
			fits, *to = true, stmt.ColumnText(i)
		}
	default:
		fits = false
	}
	if !fits {
		return fmt.Errorf("column %d holds %v, which does not fit into a %T", i, holds, to)
	}
	return nil
}
