package sqlitestore

import (
	"context"
	"time"
)

// learn remembers the live sessions that the file holds, slowly and in the
// background: until it has come to one, that one is looked up.
func (s *Store) learn(ctx context.Context) error {
	from, more := atStart, true
	for more && s.fences.room() {
		begun := time.Now()
		err := s.write(ctx, s.config.chunk(), func(h handle) (err error) {
			from, more, err = h.learnFrom(from)
			return err
		})
		if err != nil {
			return err
		}
		select {
		case <-time.After(restAfterStep * time.Since(begun)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// learnFrom remembers the live sessions among the next chunk of credentials,
// and returns where the one after it begins. The writer does it, beside whom
// nothing ends that has no fence.
func (h handle) learnFrom(from []any) (to []any, more bool, err error) {
	rows, err := h.holdings(credentialsFrom, append(from[:len(from):len(from)], h.config.chunk())...)
	if err != nil || len(rows) == 0 {
		return from, false, err
	}
	for _, x := range rows {
		if x.unreadable == nil && x.second == "" && x.revokedAt == 0 {
			h.whenCommitted(func() { h.fences.remember(session{x.Session, x.life}) })
		}
	}
	return rows[len(rows)-1].key(), len(rows) == h.config.chunk(), nil
}
