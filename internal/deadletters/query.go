package deadletters

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// where is the condition of a statement.
type where struct {
	terms []string
	args  []any
}

func (w where) and(term string, args ...any) where {
	return where{append(slices.Clip(w.terms), term), append(slices.Clip(w.args), args...)}
}

func (w where) String() string {
	if len(w.terms) == 0 {
		return ""
	}
	return ` WHERE ` + strings.Join(w.terms, " AND ")
}

// where returns the condition that selects the filter's dead letters.
func (f Filter) where() (w where) {
	for _, field := range Fields {
		switch value := field.of(&f).(type) {
		case *string:
			if *value != "" {
				w = w.and(field.condition, *value)
			}
		case *int:
			if *value > 0 {
				w = w.and(field.condition, *value)
			}
		case *time.Time:
			if !value.IsZero() {
				w = w.and(field.condition, value.Add(time.Millisecond-1).UnixMilli()) // the first millisecond that is not before it
			}
		}
	}
	return w
}

// all returns what scan makes of each row.
func all[T any](conn *sqlite.Conn, scan func(*sqlite.Stmt) T, statement string, args ...any) (found []T, err error) {
	err = sqlitex.ExecuteTransient(conn, statement, &sqlitex.ExecOptions{Args: args, ResultFunc: func(row *sqlite.Stmt) error {
		found = append(found, scan(row))
		return nil
	}})
	return found, err
}

// columns are what scanLetter reads.
const columns = `seq, step, target, code, id, error, attempts, replays, first_failed_at, failed_at, requested_at,
	cutoff, request, scope, dialect, tenant, app, user, device, session`

func scanLetter(row *sqlite.Stmt) Letter {
	at := func(column int) time.Time { return timeOf(row.ColumnInt64(column)) }
	return Letter{
		Seq: uint64(row.ColumnInt64(0)), Step: row.ColumnText(1), Target: row.ColumnText(2), Code: row.ColumnText(3),
		ID: row.ColumnText(4), Error: row.ColumnText(5), Attempts: row.ColumnInt(6), Replays: row.ColumnInt(7),
		FirstFailedAt: at(8), FailedAt: at(9), RequestedAt: at(10), Cutoff: at(11),
		RequestID: row.ColumnText(12), Scope: row.ColumnText(13), Dialect: row.ColumnText(14), TenantID: row.ColumnText(15),
		AppID: row.ColumnText(16), UserID: row.ColumnText(17), DeviceID: row.ColumnText(18), SessionID: row.ColumnText(19),
	}
}

// selectLetters returns up to limit dead letters that the condition selects;
// -1: all.
func selectLetters(conn *sqlite.Conn, w where, order string, limit int) ([]Letter, error) {
	return all(conn, scanLetter, fmt.Sprintf(`SELECT %s FROM dead_letters%s ORDER BY %s LIMIT %d`, columns, w, order, limit), w.args...)
}
