package letters

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// few letters can be gone through one by one, in tens of milliseconds.
const few = 20_000

// where is the condition of a statement.
type where struct {
	terms []string
	args  []any
}

func (w where) and(term string, args ...any) where {
	return where{append(slices.Clip(w.terms), term), append(slices.Clip(w.args), args...)}
}

func (w where) text() string { return strings.Join(w.terms, " AND ") }

// selection is a filter as the file can be asked for it.
type selection struct {
	where
	plain  bool // nothing but steps, targets and codes are asked for
	causes []counted
	// indexed tells that there are indexes; index is one that leads to few
	// letters, or to those that are asked for and no others: "" is none.
	indexed bool
	index   string
	few     bool // index leads to few
}

// counted is a cause with how many letters and users there are.
type counted struct {
	cause
	id             int64
	letters, users int
}

// equal is a column that must have a value, and its index.
type equal struct {
	column, index string
	value         string
}

// equals returns what must have a value, the column with the most values first.
func (f Filter) equals() []equal {
	return slices.DeleteFunc([]equal{
		{"user", "by_user", f.User}, {"device", "by_device", f.Device},
		{"app", "by_app", f.App}, {"tenant", "by_tenant", f.Tenant},
	}, func(e equal) bool { return e.value == "" })
}

// period returns the condition on the time.
func (f Filter) period() where {
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if !f.From.IsZero() {
		from = ceil(f.From)
	}
	if !f.To.IsZero() {
		to = ceil(f.To)
	}
	return where{}.and(`failed_at >= ? AND failed_at < ?`, from, to)
}

// ceil returns the first millisecond that is not before t.
func ceil(t time.Time) int64 { return t.Add(time.Millisecond - 1).UnixMilli() }

// plan returns how to ask for a filter.
func plan(ctx context.Context, tx *sql.Tx, f Filter) (selection, error) {
	s := selection{where: f.period()}
	err := tx.QueryRowContext(ctx, `SELECT indexed FROM progress`).Scan(&s.indexed)
	if err != nil {
		return s, err
	}
	if s.causes, err = causesOf(ctx, tx, f); err != nil {
		return s, err
	}
	others := 0
	for _, e := range f.equals() {
		s.where, others = s.and(e.column+` = ?`, e.value), others+1
	}
	if f.MinAttempts > 0 {
		s.where, others = s.and(`attempts >= ?`, f.MinAttempts), others+1
	}
	if f.MaxAttempts > 0 {
		s.where, others = s.and(`attempts <= ?`, f.MaxAttempts), others+1
	}
	s.plain = others == 0 && f.From.IsZero() && f.To.IsZero()
	ofCauses := f.Step != "" || f.Target != "" || f.Code != ""
	if ofCauses {
		s.where = s.and(`cause IN (` + idsOf(s.causes) + `)`)
	}
	if !s.indexed {
		return s, nil
	}
	return s, s.choose(ctx, tx, f, others, ofCauses)
}

// choose sets the index.
func (s *selection) choose(ctx context.Context, tx *sql.Tx, f Filter, others int, ofCauses bool) error {
	letters := 0
	for _, c := range s.causes {
		letters += c.letters
	}
	if ofCauses && letters <= few {
		s.index, s.few = "by_cause", true
		return nil
	}
	for _, e := range f.equals() {
		period, n := f.period(), 0
		err := tx.QueryRowContext(ctx, fmt.Sprintf(`SELECT COUNT(*) FROM (SELECT 1 FROM letters INDEXED BY %s WHERE %s = ? AND %s LIMIT %d)`,
			e.index, e.column, period.text(), few+1), append([]any{e.value}, period.args...)...).Scan(&n)
		if err != nil {
			return err
		}
		if s.few = n <= few; s.few || others == 1 && !ofCauses {
			s.index = e.index
			return nil
		}
	}
	if others == 0 && ofCauses && len(s.causes) == 1 {
		s.index = "by_cause"
	}
	return nil
}

// byTime returns the hint of a statement that goes through the letters in the
// order of time, or through few.
func (s *selection) byTime() string {
	switch {
	case !s.indexed:
		return ""
	case s.index != "":
		return "INDEXED BY " + s.index
	}
	return "INDEXED BY by_time"
}

// through returns the hint of a statement that goes through all of them.
func (s *selection) through() string {
	switch {
	case !s.indexed:
		return ""
	case s.few:
		return "INDEXED BY " + s.index
	}
	return "INDEXED BY by_time"
}

// bySeq is through for the order of places on the stream, which is that of the
// table.
func (s *selection) bySeq() string {
	if s.few {
		return "INDEXED BY " + s.index
	}
	return "NOT INDEXED"
}

// causesOf returns the causes that a filter allows.
func causesOf(ctx context.Context, tx *sql.Tx, f Filter) ([]counted, error) {
	scan := func(rows *sql.Rows) (c counted, err error) {
		return c, rows.Scan(&c.id, &c.step, &c.target, &c.code, &c.letters, &c.users)
	}
	return all(ctx, tx, scan, `SELECT id, step, target, code, letters, users FROM causes
		WHERE letters > 0 AND ?1 IN ('', step) AND ?2 IN ('', target) AND ?3 IN ('', code)`, f.Step, f.Target, f.Code)
}

func idsOf(causes []counted) string {
	ids := make([]string, len(causes))
	for i, c := range causes {
		ids[i] = fmt.Sprint(c.id)
	}
	return strings.Join(ids, ", ")
}
