package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// statements prepares each statement once: parsing costs more than running.
//
// SQLite prepares a statement anew at each call if its plan may depend on a
// bound value. So it is LIMIT ? + 0 instead of LIMIT ?, and mark IS ? instead
// of mark = ? where a partial index holds the rows whose mark equals a literal.
type statements struct {
	prepare func(ctx context.Context, query string) (*sql.Stmt, error)

	mu     sync.RWMutex
	byText map[string]*sql.Stmt
}

func newStatements(prepare func(context.Context, string) (*sql.Stmt, error)) *statements {
	return &statements{prepare: prepare, byText: map[string]*sql.Stmt{}}
}

func (s *statements) get(query string) (*sql.Stmt, error) {
	s.mu.RLock()
	stmt, ok := s.byText[query]
	s.mu.RUnlock()
	if ok {
		return stmt, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if stmt, ok := s.byText[query]; ok {
		return stmt, nil
	}
	// The statement outlives the call that needs it first.
	stmt, err := s.prepare(context.Background(), query)
	if err == nil {
		s.byText[query] = stmt
	}
	return stmt, err
}

// handle is what a piece of work has in hand: statements, on the writer's
// connection within a transaction or on the readers' pool, and the time at
// which it does all that it does.
type handle struct {
	*statements
	ctx       context.Context
	now       int64
	next      int64 // of what is registered now: later than every fence so far
	retention int64
}

// exec runs a statement and returns how many rows it changed.
func (h handle) exec(query string, args ...any) (int, error) {
	stmt, err := h.get(query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(h.ctx, args...)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// row scans the one row that the query may have, and reports whether it had.
func (h handle) row(query string, args []any, dest ...any) (bool, error) {
	stmt, err := h.get(query)
	if err != nil {
		return false, err
	}
	err = stmt.QueryRowContext(h.ctx, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// rows calls scan for each row of the query.
func (h handle) rows(query string, args []any, scan func(scan func(dest ...any) error) error) error {
	stmt, err := h.get(query)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(h.ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
