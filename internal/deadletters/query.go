package deadletters

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// query asks the file, all in one state of it.
func query[T any](ctx context.Context, l *Letters, ask func(*sql.Tx) (T, error)) (T, error) {
	l.using.RLock()
	defer l.using.RUnlock()
	answer, err := inTransaction(ctx, l.file.read, ask)
	if damaged(err) {
		l.damaged.Store(true)
		l.nudge()
	}
	if err != nil {
		return answer, fmt.Errorf("reading projection of dead letters: %w", err)
	}
	return answer, nil
}

func inTransaction[T any](ctx context.Context, db *sql.DB, ask func(*sql.Tx) (T, error)) (T, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return *new(T), err
	}
	answer, err := ask(tx)
	return answer, errors.Join(err, tx.Rollback())
}

// all returns what scan makes of each row.
func all[T any](ctx context.Context, tx *sql.Tx, scan func(*sql.Rows) (T, error), statement string, args ...any) ([]T, error) {
	rows, err := tx.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var found []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, rows.Err()
}

// columns are what scanLetter reads.
const columns = `seq, step, target, code, letters.id, error, attempts, replays, first_failed_at, failed_at, requested_at,
	cutoff, request, scope, dialect, tenant, app, user, device, session`

func scanLetter(rows *sql.Rows) (Letter, error) {
	var l Letter
	var firstFailed, failed, requested, cutoff int64
	err := rows.Scan(&l.Seq, &l.Step, &l.Target, &l.Code, &l.ID, &l.Error, &l.Attempts, &l.Replays,
		&firstFailed, &failed, &requested, &cutoff,
		&l.RequestID, &l.Scope, &l.Dialect, &l.TenantID, &l.AppID, &l.UserID, &l.DeviceID, &l.SessionID)
	l.FirstFailedAt, l.FailedAt = timeOf(firstFailed), timeOf(failed)
	l.RequestedAt, l.Cutoff = timeOf(requested), timeOf(cutoff)
	return l, err
}

// selectLetters returns the letters that the terms select.
func selectLetters(ctx context.Context, tx *sql.Tx, hint string, w where, order string, limit int) ([]Letter, error) {
	statement := fmt.Sprintf(`SELECT %s FROM letters %s CROSS JOIN causes ON causes.id = cause WHERE %s ORDER BY %s LIMIT %d`,
		columns, hint, w.text(), order, limit)
	return all(ctx, tx, scanLetter, statement, w.args...)
}
