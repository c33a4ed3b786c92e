package deadletters

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// Groups returns the groups of a filter's letters, the largest first.
func (l *Letters) Groups(ctx context.Context, f Filter) ([]Group, error) {
	return query(ctx, l, func(tx *sql.Tx) ([]Group, error) {
		s, err := l.plan(ctx, tx, f)
		if err != nil {
			return nil, err
		}
		groups, err := s.groups(ctx, tx)
		slices.SortFunc(groups, func(a, b Group) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), b.Last.Compare(a.Last),
				strings.Compare(a.Step, b.Step), strings.Compare(a.Target, b.Target), strings.Compare(a.Code, b.Code))
		})
		return groups, err
	})
}

func (s *selection) groups(ctx context.Context, tx *sql.Tx) ([]Group, error) {
	ask := s.countEach
	if s.plain && s.indexed {
		ask = s.counts
	}
	ends, err := ask(ctx, tx)
	if err != nil {
		return nil, err
	}
	var groups []Group
	for _, c := range s.causes {
		e, ok := ends[c.id]
		if !ok {
			continue
		}
		g := Group{Step: c.step, Target: c.target, Code: c.code, Count: e.letters, Users: e.users, First: timeOf(e.first), Last: timeOf(e.last)}
		if err := s.sample(ctx, tx, c, e, &g); err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// extent is what a group's letters come to.
type extent struct {
	letters, users int
	first, last    int64 // of failed_at
}

// counts returns what is known of all letters without going through them.
func (s *selection) counts(ctx context.Context, tx *sql.Tx) (map[int64]extent, error) {
	extents := map[int64]extent{}
	for _, c := range s.causes {
		e := extent{letters: c.letters, users: c.users}
		err := tx.QueryRowContext(ctx, `SELECT (SELECT MIN(failed_at) FROM letters INDEXED BY by_cause WHERE cause = ?1),
			(SELECT MAX(failed_at) FROM letters INDEXED BY by_cause WHERE cause = ?1)`, c.id).Scan(&e.first, &e.last)
		if err != nil {
			return nil, err
		}
		extents[c.id] = e
	}
	return extents, nil
}

// countEach goes through the letters.
func (s *selection) countEach(ctx context.Context, tx *sql.Tx) (map[int64]extent, error) {
	w := s.all()
	rows, err := tx.QueryContext(ctx, fmt.Sprintf(`SELECT cause, COUNT(*), MIN(failed_at), MAX(failed_at),
		COUNT(DISTINCT CASE WHEN user <> '' THEN tenant || char(0) || user END)
		FROM letters %s WHERE %s GROUP BY cause`, s.through(), w.text()), w.args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	extents := map[int64]extent{}
	for rows.Next() {
		var id int64
		var e extent
		if err := rows.Scan(&id, &e.letters, &e.first, &e.last, &e.users); err != nil {
			return nil, err
		}
		extents[id] = e
	}
	return extents, rows.Err()
}

// sample fills in the last letter of a group.
func (s *selection) sample(ctx context.Context, tx *sql.Tx, c counted, e extent, g *Group) error {
	w, hint := s.all().and(`cause = ? AND failed_at = ?`, c.id, e.last), ""
	if s.indexed {
		hint = "INDEXED BY by_cause"
	}
	return tx.QueryRowContext(ctx, `SELECT id, error FROM letters `+hint+` WHERE `+w.text()+` ORDER BY seq DESC LIMIT 1`, w.args...).
		Scan(&g.SampleID, &g.SampleError)
}
