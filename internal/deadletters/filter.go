package deadletters

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// where is the condition of a statement.
type where struct {
	terms []string
	args  []any
}

func (w where) and(term string, args ...any) where {
	return where{append(slices.Clip(w.terms), term), append(slices.Clip(w.args), args...)}
}

func (w where) text() string { return strings.Join(w.terms, " AND ") }

// equal is a column that must have a value, and its index.
type equal struct{ column, index, value string }

// equals returns what must have a value, the column with the most values first.
func (f Filter) equals() []equal {
	return slices.DeleteFunc([]equal{
		{"user", "by_user", f.User}, {"device", "by_device", f.Device},
		{"app", "by_app", f.App}, {"tenant", "by_tenant", f.Tenant},
	}, func(e equal) bool { return e.value == "" })
}

// ofCauses reports whether it asks for steps, targets or codes.
func (f Filter) ofCauses() bool { return f.Step != "" || f.Target != "" || f.Code != "" }

// within returns the condition on the time: in the filter's, and in a list
// after the cursor. It is one range of an index, so that a page begins at once
// where it begins.
func (f Filter) within(after cursor) where {
	from := int64(math.MinInt64)
	if !f.From.IsZero() {
		from = ceil(f.From)
	}
	if to := ceil(f.To); !f.To.IsZero() && to <= after.failedAt {
		after = cursor{to, 0}
	}
	return where{}.and(`failed_at >= ?`, from).and(`(failed_at, seq) < (?, ?)`, after.failedAt, after.seq)
}

// ceil returns the first millisecond that is not before t.
func ceil(t time.Time) int64 { return t.Add(time.Millisecond - 1).UnixMilli() }

// beside returns the conditions but for time and cause.
func (f Filter) beside() where {
	var w where
	for _, e := range f.equals() {
		w = w.and(e.column+` = ?`, e.value)
	}
	if f.MinAttempts > 0 {
		w = w.and(`attempts >= ?`, f.MinAttempts)
	}
	if f.MaxAttempts > 0 {
		w = w.and(`attempts <= ?`, f.MaxAttempts)
	}
	return w
}

// counted is a cause with how many letters and users there are.
type counted struct {
	cause
	id             int64
	letters, users int
}

// causesOf returns the causes that a filter allows.
func causesOf(ctx context.Context, tx *sql.Tx, f Filter) ([]counted, error) {
	scan := func(rows *sql.Rows) (c counted, err error) {
		return c, rows.Scan(&c.id, &c.step, &c.target, &c.code, &c.letters, &c.users)
	}
	return all(ctx, tx, scan, `SELECT id, step, target, code, letters, users FROM causes
		WHERE letters > 0 AND ?1 IN ('', step) AND ?2 IN ('', target) AND ?3 IN ('', code)`, f.Step, f.Target, f.Code)
}

func sum(causes []counted) (letters int) {
	for _, c := range causes {
		letters += c.letters
	}
	return letters
}

// in returns the condition that the cause is one of these.
func in(causes []counted) string {
	ids := make([]string, len(causes))
	for i, c := range causes {
		ids[i] = fmt.Sprint(c.id)
	}
	return `cause IN (` + strings.Join(ids, ", ") + `)`
}
