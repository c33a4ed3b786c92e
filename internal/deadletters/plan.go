package deadletters

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
)

// few letters can be gone through one by one, in tens of milliseconds.
const few = 20_000

func (c Config) few() int { return cmp.Or(c.fewer, few) }

// selection is a filter, and how the file is asked for its letters.
type selection struct {
	filter  Filter
	causes  []counted // that the filter allows
	beside  where     // all conditions but the time
	plain   bool      // there are no conditions but on the cause
	indexed bool      // there are indexes
	// index leads to the letters, and to no others or to few. Empty: there is
	// no such index.
	index string
	few   bool // index leads to few letters
}

// plan returns how to ask for a filter's letters.
func (l *Letters) plan(ctx context.Context, tx *sql.Tx, f Filter) (selection, error) {
	s := selection{filter: f, beside: f.beside()}
	s.plain = len(s.beside.terms) == 0 && f.From.IsZero() && f.To.IsZero()
	err := tx.QueryRowContext(ctx, `SELECT indexed FROM progress`).Scan(&s.indexed)
	if err != nil {
		return s, err
	}
	if s.causes, err = causesOf(ctx, tx, f); err != nil {
		return s, err
	}
	if s.indexed {
		err = s.choose(ctx, tx, l.config.few())
	}
	if f.ofCauses() {
		s.beside = s.beside.and(in(s.causes))
	}
	return s, err
}

// choose sets the index. The statements name it: SQLite does not know how many
// letters a value leads to.
func (s *selection) choose(ctx context.Context, tx *sql.Tx, few int) error {
	others, ofCauses := len(s.beside.terms), s.filter.ofCauses()
	if ofCauses && sum(s.causes) <= few {
		s.index, s.few = "by_cause", true
		return nil
	}
	for _, e := range s.filter.equals() {
		n, err := s.countUpTo(ctx, tx, e, few+1)
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

func (s *selection) countUpTo(ctx context.Context, tx *sql.Tx, e equal, limit int) (n int, err error) {
	w := s.filter.within(start).and(e.column+` = ?`, e.value)
	err = tx.QueryRowContext(ctx, fmt.Sprintf(`SELECT COUNT(*) FROM (SELECT 1 FROM letters INDEXED BY %s WHERE %s LIMIT %d)`,
		e.index, w.text(), limit), w.args...).Scan(&n)
	return n, err
}

// after returns the condition for what comes after a place in a list.
func (s *selection) after(c cursor) where {
	w := s.filter.within(c)
	return where{append(w.terms, s.beside.terms...), append(w.args, s.beside.args...)}
}

// all returns the condition for all of the filter's letters.
func (s *selection) all() where { return s.after(start) }

// byTime is for a statement that goes through the letters in the order of
// time, or counts them.
func (s *selection) byTime() (hint string) {
	switch {
	case !s.indexed:
		return ""
	case s.index != "":
		return "INDEXED BY " + s.index
	}
	return "INDEXED BY by_time"
}

// through is for a statement that goes through all of the letters.
func (s *selection) through() (hint string) {
	if s.indexed && !s.few {
		return "INDEXED BY by_time"
	}
	return s.byTime()
}

// bySeq is for a statement that goes through them in the order of their places
// on the stream, which is that of the table.
func (s *selection) bySeq() (hint string) {
	if s.few {
		return "INDEXED BY " + s.index
	}
	return "NOT INDEXED"
}
