package sqlitestore

import (
	"context"
	"strings"
	"time"
)

// swept is a table whose rows have an end.
type swept struct {
	table string
	key   []string // the columns of its primary key
	start []any    // a key before all
	and   string   // what else must be true of a row to be deleted
}

// A cutoff is kept as long as the longest-lived credential of its user.
const noCredential = ` AND NOT EXISTS (SELECT 1 FROM credentials AS c
	WHERE c.tenant_id = t.tenant_id AND c.user_id = t.user_id AND c.keep_until > ?)`

var tables = []swept{
	{table: "credentials", key: []string{"tenant_id", "user_id", "session_id", "token_id"}, start: []any{"", "", "", ""}},
	{table: "cutoffs", key: []string{"tenant_id", "user_id", "device_id"}, start: []any{"", "", ""}, and: noCredential},
	{table: "push_cutoffs", key: []string{"tenant_id", "user_id", "device_id", "app_id"}, start: []any{"", "", "", ""}, and: noCredential},
	{table: "done", key: []string{"ended_at", "request_id"}, start: []any{-1, ""}},
}

// restAfterStep is how long the sweeper rests after a step, times what the
// step took.
const restAfterStep = 9

// sweep goes through the tables in the order of their keys and deletes what is
// past its time. It reads beside the writer, which deletes where there is
// something to delete.
func (s *Store) sweep(ctx context.Context) error {
	for _, t := range tables {
		from, more := t.start, true
		for more {
			begun := time.Now()
			var err error
			if from, more, err = s.sweepFrom(ctx, t, from); err != nil {
				return err
			}
			select {
			case <-time.After(restAfterStep * time.Since(begun)):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// sweepFrom deletes what is past its time among the next chunk of rows, and
// returns where the next one begins.
func (s *Store) sweepFrom(ctx context.Context, t swept, from []any) (to []any, more bool, err error) {
	past := false
	err = s.read(ctx, func(h handle) error {
		if to, more, err = t.next(h, from); err != nil {
			return err
		}
		_, err = h.row(t.any(more), t.args(h.now, from, to), &past)
		return err
	})
	if err != nil || !past {
		return to, more, err
	}
	// The writer may still do it when ctx has ended and this has returned: it
	// must not read the results, which returning writes.
	end, bounded := to, more
	err = s.write(ctx, s.config.chunk(), func(h handle) error {
		_, err := h.exec(t.delete(bounded), t.args(h.now, from, end)...)
		return err
	})
	return to, more, err
}

// next returns the key of the last row of the chunk, unless that is the last
// of all.
func (t swept) next(h handle, from []any) (to []any, more bool, err error) {
	to = make([]any, len(t.key))
	dest := make([]any, len(t.key))
	for i := range to {
		dest[i] = &to[i]
	}
	columns, values := t.row()
	more, err = h.row(`SELECT `+strings.Join(t.key, ", ")+` FROM `+t.table+` WHERE `+columns+` > `+values+`
		ORDER BY `+strings.Join(t.key, ", ")+` LIMIT 1 OFFSET ? + 0`,
		append(from[:len(from):len(from)], h.config.chunk()-1), dest...)
	return to, more, err
}

func (t swept) any(bounded bool) string {
	return `SELECT EXISTS (SELECT 1 FROM ` + t.where(bounded) + `)`
}

func (t swept) delete(bounded bool) string { return `DELETE FROM ` + t.where(bounded) }

func (t swept) where(bounded bool) string {
	columns, values := t.row()
	where := t.table + ` AS t WHERE keep_until <= ?` + t.and + ` AND ` + columns + ` > ` + values
	if bounded {
		where += ` AND ` + columns + ` <= ` + values
	}
	return where
}

// args are those of where; the driver ignores what is too much.
func (t swept) args(now int64, from, to []any) []any {
	args := []any{now}
	if t.and != "" {
		args = append(args, now)
	}
	return append(append(args, from...), to...)
}

// row is the key as a row value, and as many parameters.
func (t swept) row() (columns, values string) {
	return `(` + strings.Join(t.key, `, `) + `)`, `(?` + strings.Repeat(`, ?`, len(t.key)-1) + `)`
}
