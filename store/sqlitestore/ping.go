package sqlitestore

import (
	"context"
	"strings"
	"time"
)

// pingEvery is how often [Store.Ping] writes at most: each write is an fsync, and
// anybody who reaches the admin listener can ask for one.
const pingEvery = time.Second

// pingID is longer than a page, so that writing it needs free pages.
var pingID = "ping" + strings.Repeat("-", 8<<10)

// ping is the latest write of [Store.Ping].
type ping struct {
	turn  chan struct{} // holds one token, to be taken before reading or writing the rest
	ended time.Time
	err   error
}

func newPing() ping {
	p := ping{turn: make(chan struct{}, 1)}
	p.turn <- struct{}{}
	return p
}

// Ping implements [store.Store]. It writes a row to the file and deletes it: a
// file that can be read can still refuse every write, say on a full disk.
// Callers share a write, and its result is good for pingEvery.
func (s *Store) Ping(ctx context.Context) error {
	if _, err := s.Now(ctx); err != nil {
		return err // closed, or too late
	}
	select {
	case <-s.ping.turn:
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
	defer func() { s.ping.turn <- struct{}{} }()
	if !s.ping.ended.IsZero() && time.Since(s.ping.ended) < pingEvery {
		return s.ping.err
	}
	err := s.writePing(ctx)
	if ctx.Err() == nil {
		s.ping.ended, s.ping.err = time.Now(), err
	}
	return err
}

func (s *Store) writePing(ctx context.Context) error {
	return s.write(ctx, 1, func(h handle) error {
		if _, err := h.exec(`INSERT INTO done (ended_at, request_id, keep_until) VALUES (0, ?, 0)`, pingID); err != nil {
			return err
		}
		_, err := h.exec(`DELETE FROM done WHERE ended_at = 0 AND request_id = ?`, pingID)
		return err
	})
}
