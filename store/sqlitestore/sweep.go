package sqlitestore

import (
	"context"
	"time"
)

// sweeper deletes rows past their time, until it is stopped.
type sweeper struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func startSweeper(s *Store) *sweeper {
	ctx, cancel := context.WithCancel(context.Background())
	w := &sweeper{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		s.sweepEvery(ctx, s.config.sweepInterval())
	}()
	return w
}

// stop ends the sweeper and waits for it.
func (w *sweeper) stop() {
	w.cancel()
	<-w.done
}

func (s *Store) sweepEvery(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
			s.config.logger().ErrorContext(ctx, "deleting expired records failed", "err", err)
		}
	}
}

// sweeps delete up to ?2 rows that need not be kept at ?1.
var sweeps = []string{
	`DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE keep_until <= ?1 LIMIT ?2 + 0)`,
	`DELETE FROM refresh_tokens WHERE id IN (SELECT id FROM refresh_tokens WHERE keep_until <= ?1 LIMIT ?2 + 0)`,
	`DELETE FROM cutoffs WHERE (tenant_id, user_id, device_id) IN (
		SELECT tenant_id, user_id, device_id FROM cutoffs WHERE keep_until <= ?1 LIMIT ?2 + 0)`,
	`DELETE FROM push_cutoffs WHERE (tenant_id, user_id, device_id, app_id) IN (
		SELECT tenant_id, user_id, device_id, app_id FROM push_cutoffs WHERE keep_until <= ?1 LIMIT ?2 + 0)`,
	`DELETE FROM done WHERE request_id IN (SELECT request_id FROM done WHERE keep_until <= ?1 LIMIT ?2 + 0)`,
}

// sweep deletes what is past its time, a chunk a transaction.
func (s *Store) sweep(ctx context.Context) error {
	for _, statement := range sweeps {
		for deleted := s.config.chunk(); deleted == s.config.chunk(); {
			err := s.write(ctx, quick, s.config.chunk(), func(h handle) (err error) {
				deleted, err = h.exec(statement, h.now, s.config.chunk())
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
