package deadletters

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"
)

// Groups returns the groups of a filter's dead letters, the largest first.
func (l *Letters) Groups(ctx context.Context, f Filter) ([]Group, error) {
	groups, err := read(ctx, l, func(conn *sqlite.Conn) ([]Group, error) { return groupsOf(conn, f.where()) })
	slices.SortFunc(groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), b.Last.Compare(a.Last),
			strings.Compare(a.Step, b.Step), strings.Compare(a.Target, b.Target), strings.Compare(a.Code, b.Code))
	})
	return groups, err
}

func groupsOf(conn *sqlite.Conn, w where) ([]Group, error) {
	groups, err := all(conn, func(row *sqlite.Stmt) Group {
		return Group{
			Step: row.ColumnText(0), Target: row.ColumnText(1), Code: row.ColumnText(2),
			Count: row.ColumnInt(3), Users: row.ColumnInt(4), First: timeOf(row.ColumnInt64(5)), Last: timeOf(row.ColumnInt64(6)),
		}
	}, `SELECT step, target, code, COUNT(*), COUNT(DISTINCT CASE WHEN user <> '' THEN tenant || char(0) || user END),
		MIN(failed_at), MAX(failed_at) FROM dead_letters`+w.String()+` GROUP BY step, target, code`, w.args...)
	for i := range groups {
		if err == nil {
			err = sample(conn, w, &groups[i])
		}
	}
	return groups, err
}

// sample fills in the newest dead letter of a group.
func sample(conn *sqlite.Conn, w where, g *Group) error {
	w = w.and(`step = ? AND target = ? AND code = ? AND failed_at = ?`, g.Step, g.Target, g.Code, millis(g.Last))
	newest, err := selectLetters(conn, w, `seq DESC`, 1)
	if err == nil && len(newest) > 0 {
		g.SampleID, g.SampleError = newest[0].ID, newest[0].Error
	}
	return err
}
