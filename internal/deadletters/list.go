package deadletters

import (
	"context"
	"encoding/json"
	"errors"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

const newestFirst = `failed_at DESC, seq DESC`

// List returns up to limit letters (at least 1), newest first, that come after
// the place named by a [Page].Next; empty: from the start. A place of another
// form is [ErrCursor].
func (l *Letters) List(ctx context.Context, f Filter, after string, limit int) (Page, error) {
	from, err := parseCursor(after)
	if err != nil {
		return Page{}, err
	}
	return read(ctx, l, func(conn *sqlite.Conn) (Page, error) {
		w := f.where()
		limit = max(limit, 1)
		letters, err := selectLetters(conn, w.and(`(failed_at, seq) < (?, ?)`, from.failedAt, from.seq), newestFirst, limit+1)
		if err != nil {
			return Page{}, err
		}
		page := Page{Letters: letters}
		if len(letters) > limit {
			page.Letters = letters[:limit]
			page.Next = cursorAt(letters[limit-1]).String()
		}
		page.Total, err = count(conn, w)
		return page, err
	})
}

// Count returns how many dead letters a filter selects.
func (l *Letters) Count(ctx context.Context, f Filter) (int, error) {
	return read(ctx, l, func(conn *sqlite.Conn) (int, error) { return count(conn, f.where()) })
}

func count(conn *sqlite.Conn, w where) (int, error) {
	n := 0
	err := sqlitex.ExecuteTransient(conn, `SELECT COUNT(*) FROM dead_letters`+w.String(), &sqlitex.ExecOptions{
		Args: w.args, ResultFunc: func(row *sqlite.Stmt) error { n = row.ColumnInt(0); return nil },
	})
	return n, err
}

// errRebuilt ends a selection that could not be told whole.
var errRebuilt = errors.New("the projection of dead letters was made anew meanwhile")

// Select calls each for every letter of a filter, in the order of Seq, until
// it returns an error. Letters that come meanwhile are not among them, those
// that go may be.
func (l *Letters) Select(ctx context.Context, f Filter, each func(Letter) error) error {
	place, _, _ := l.state.now()
	for after := uint64(0); ; {
		letters, err := l.selectAfter(ctx, f, after, place.seq)
		if err != nil {
			return err
		}
		if now, _, _ := l.state.now(); now.created != place.created || now.seq < place.seq {
			return errRebuilt
		}
		for _, letter := range letters {
			if err := each(letter); err != nil {
				return err
			}
			after = letter.Seq
		}
		if len(letters) < selectChunk {
			return nil
		}
	}
}

// selectChunk is how many dead letters Select holds in memory at most.
const selectChunk = 5000

func (l *Letters) selectAfter(ctx context.Context, f Filter, after, last uint64) ([]Letter, error) {
	return l.find(ctx, f.where().and(`seq > ? AND seq <= ?`, after, last), `seq`, selectChunk)
}

// ByIDs returns the letters of those ids that there are, in the order of Seq.
func (l *Letters) ByIDs(ctx context.Context, ids []string) ([]Letter, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	w := where{}.and(`id IN (SELECT value FROM json_each(?))`, string(list))
	return l.find(ctx, w, `seq`, -1)
}

// OfUser returns up to limit letters of a user, newest first. An empty tenant
// is that of users who have none.
func (l *Letters) OfUser(ctx context.Context, tenant, user string, limit int) ([]Letter, error) {
	return l.find(ctx, where{}.and(`user = ? AND tenant = ?`, user, tenant), newestFirst, max(limit, 0))
}

// TenantsOf returns the tenants in which a user of the id has letters, in order.
func (l *Letters) TenantsOf(ctx context.Context, user string) ([]string, error) {
	return read(ctx, l, func(conn *sqlite.Conn) ([]string, error) {
		return all(conn, func(row *sqlite.Stmt) string { return row.ColumnText(0) },
			`SELECT DISTINCT tenant FROM dead_letters WHERE user = ? ORDER BY tenant LIMIT 20`, user)
	})
}

// OfSession returns up to limit letters of requests made with a session,
// newest first.
func (l *Letters) OfSession(ctx context.Context, sessionID string, limit int) ([]Letter, error) {
	return l.find(ctx, where{}.and(`session = ?`, sessionID), newestFirst, max(limit, 0))
}

// OfRequest returns up to limit letters that come from a request, newest first.
func (l *Letters) OfRequest(ctx context.Context, requestID string, limit int) ([]Letter, error) {
	// A letter is named as the request, or as a task: the request's id, "_"
	// and more. "`" is the character after "_".
	w := where{}.and("(id = ? OR id > ? AND id < ?) AND request = ?", requestID, requestID+"_", requestID+"`", requestID)
	return l.find(ctx, w, newestFirst, max(limit, 0))
}

func (l *Letters) find(ctx context.Context, w where, order string, limit int) ([]Letter, error) {
	return read(ctx, l, func(conn *sqlite.Conn) ([]Letter, error) { return selectLetters(conn, w, order, limit) })
}
