package deadletters

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
)

// removeChunk is how many letters one transaction takes out at most.
const removeChunk = 5000

// count returns how many messages of the stream are in the file.
func (f *file) count() (held uint64, err error) {
	err = f.write.QueryRow(`SELECT COALESCE(SUM(letters), 0) FROM causes`).Scan(&held)
	return held, err
}

// change writes to the file in a transaction, and returns how many messages it
// has after that.
func (l *Letters) change(ctx context.Context, do func(*sql.Tx) error) (held uint64, err error) {
	l.using.RLock()
	defer l.using.RUnlock()
	if err := l.file.transact(ctx, do); err != nil {
		return 0, fmt.Errorf("writing projection of dead letters: %w", err)
	}
	return l.file.count()
}

// belong notes the stream that the letters are of.
func (l *Letters) belong(ctx context.Context, created int64) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	_, err := l.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE progress SET created = ?`, created)
		return err
	})
	if err == nil {
		l.state.change(func() { l.state.place.created = created })
	}
	return err
}

// put puts a batch in.
func (l *Letters) put(ctx context.Context, b batch) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	held, err := l.change(ctx, func(tx *sql.Tx) error {
		if err := insert(tx, b); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE progress SET seq = ?`, int64(b.last))
		return err
	})
	if err == nil {
		l.state.change(func() { l.state.place.seq, l.state.left, l.state.held = b.last, b.left, held })
	}
	return err
}

func insert(tx *sql.Tx, b batch) error {
	causes, err := insertCauses(tx, b.letters)
	if err != nil {
		return err
	}
	stmt, err := tx.Prepare(`INSERT INTO letters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Close() }()
	for _, l := range b.letters {
		_, err := stmt.Exec(int64(l.Seq), causes[causeOf(l)], l.ID, millis(l.FailedAt), l.Attempts,
			l.TenantID, l.AppID, l.UserID, l.DeviceID, l.SessionID, l.RequestID,
			l.Error, l.Replays, millis(l.FirstFailedAt), millis(l.RequestedAt), millis(l.Cutoff), l.Scope, l.Dialect)
		if err != nil {
			return err
		}
	}
	return nil
}

type cause struct{ step, target, code string }

func causeOf(l Letter) cause { return cause{l.Step, l.Target, l.Code} }

// insertCauses makes sure that the letters' causes are there, and returns
// their ids.
func insertCauses(tx *sql.Tx, letters []Letter) (map[cause]int64, error) {
	ids := map[cause]int64{}
	for _, l := range letters {
		c := causeOf(l)
		if _, known := ids[c]; known {
			continue
		}
		var id int64
		err := tx.QueryRow(`INSERT INTO causes (step, target, code) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET step = step RETURNING id`, c.step, c.target, c.code).Scan(&id)
		if err != nil {
			return nil, err
		}
		ids[c] = id
	}
	return ids, nil
}

// index makes the indexes, when the letters are there.
func (l *Letters) index(ctx context.Context) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.indexing.Store(true)
	defer l.indexing.Store(false)
	_, err := l.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, indexes)
		return err
	})
	if err == nil {
		l.state.change(func() { l.state.place.indexed = true })
	}
	return err
}

// Forget takes letters out at once that this process has just removed from the
// stream. While the projection is being rebuilt, they may show until it is.
func (l *Letters) Forget(seqs []uint64) {
	l.state.forget(seqs)
	if l.indexing.Load() {
		return
	}
	if err := l.flush(context.Background()); err != nil {
		l.config.logger().Warn("taking removed dead letters out failed", "err", err)
	}
}

// flush takes out the removed letters that have come.
func (l *Letters) flush(ctx context.Context) error {
	for {
		seqs := l.state.forgotten(removeChunk)
		if len(seqs) == 0 {
			return nil
		}
		if err := l.takeOut(ctx, seqs); err != nil {
			return err
		}
	}
}

func (l *Letters) takeOut(ctx context.Context, seqs []uint64) error {
	list, err := json.Marshal(seqs)
	if err != nil {
		return err
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	held, err := l.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM letters WHERE seq IN (SELECT value FROM json_each(?))`, string(list))
		return err
	})
	if err == nil {
		l.state.taken(seqs, held)
	}
	return err
}
