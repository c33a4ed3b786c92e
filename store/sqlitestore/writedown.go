package sqlitestore

import (
	"context"
	"errors"
)

// writeDownAged writes the fences that have been in memory for long: their
// requests could not be published, or there is a backlog.
func (s *Store) writeDownAged(ctx context.Context) error {
	s.calls.RLock()
	defer s.calls.RUnlock()
	if s.closed {
		return nil
	}
	chunk := s.config.chunk()
	var failures error
	for range (s.fences.aging() + chunk - 1) / chunk {
		failures = errors.Join(failures, s.writeDownAll(ctx, s.fences.aged(chunk)))
	}
	s.fences.age(chunk)
	return failures
}

func (s *Store) writeDownAll(ctx context.Context, sessionIDs []string) error {
	var failures error
	err := s.writeDown(ctx, sessionIDs, func(_ int, err error) { failures = errors.Join(failures, err) })
	if err != nil {
		return err // where ctx has ended, the writer may still be adding to failures
	}
	return failures
}

// writeDown writes the fences of the sessions, as far as they are in memory
// only. One that cannot be written stays there, and holds up no other.
func (s *Store) writeDown(ctx context.Context, sessionIDs []string, failed func(i int, err error)) error {
	for from := 0; from < len(sessionIDs); from += s.config.chunk() {
		chunk := sessionIDs[from:min(from+s.config.chunk(), len(sessionIDs))]
		var written []string
		err := s.writer.do(ctx, len(chunk), func(h handle) error {
			return each(chunk, func(_ int, id string) error {
				of, fenced := h.fences.of(id)
				if !fenced {
					return nil
				}
				if err := h.writeFence(id, of); err != nil {
					return err
				}
				written = append(written, id)
				return nil
			}, func(i int, err error) { failed(from+i, err) })
		})
		if err != nil {
			return err
		}
		s.fences.remove(written)
	}
	return nil
}

func (h handle) writeFence(sessionID string, of fence) error {
	_, err := h.exec(`
		UPDATE credentials SET revoked_at = ?, mark = ? WHERE session_id = ? AND token_id = '' AND revoked_at = 0`,
		of.at, of.mark, sessionID)
	return err
}
