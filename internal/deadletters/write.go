package deadletters

import (
	"context"
	"encoding/json"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// removeChunk is how many letters one transaction takes out at most.
const removeChunk = 5000

// belong notes the stream that the letters are of.
func (l *Letters) belong(ctx context.Context, created int64) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	_, err := l.write(ctx, func(conn *sqlite.Conn) (int, error) {
		return 0, execute(conn, `UPDATE progress SET created = ?`, created)
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
	grown, err := l.write(ctx, func(conn *sqlite.Conn) (grown int, err error) {
		for _, letter := range b.letters {
			replaced, err := insert(conn, letter)
			if err != nil {
				return 0, err
			}
			grown += 1 - replaced
		}
		return grown, execute(conn, `UPDATE progress SET seq = ?`, b.last)
	})
	if err == nil {
		l.state.change(func() { l.state.place.seq, l.state.left, l.state.held = b.last, b.left, l.state.held+uint64(grown) })
	}
	return err
}

func execute(conn *sqlite.Conn, statement string, args ...any) error {
	return sqlitex.Execute(conn, statement, &sqlitex.ExecOptions{Args: args})
}

// insert adds a dead letter. It replaces the earlier one of its id and step, as
// on the stream.
func insert(conn *sqlite.Conn, l Letter) (replaced int, err error) {
	if err := execute(conn, `DELETE FROM dead_letters WHERE id = ? AND step = ?`, l.ID, l.Step); err != nil {
		return 0, err
	}
	replaced = conn.Changes()
	return replaced, execute(conn, `INSERT INTO dead_letters (`+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		l.Seq, l.Step, l.Target, l.Code, l.ID, l.Error, l.Attempts, l.Replays,
		millis(l.FirstFailedAt), millis(l.FailedAt), millis(l.RequestedAt), millis(l.Cutoff),
		l.RequestID, l.Scope, l.Dialect, l.TenantID, l.AppID, l.UserID, l.DeviceID, l.SessionID)
}

// Forget takes letters out at once that this process has just removed from the
// stream. While the projection is being rebuilt, they may show until it is.
func (l *Letters) Forget(seqs []uint64) {
	l.state.forget(seqs)
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
	grown, err := l.write(ctx, func(conn *sqlite.Conn) (int, error) {
		err := execute(conn, `DELETE FROM dead_letters WHERE seq IN (SELECT value FROM json_each(?))`, string(list))
		return -conn.Changes(), err
	})
	if err == nil {
		l.state.taken(seqs, grown)
	}
	return err
}
