package main

import (
	"context"
	"os"
	"path/filepath"
	"time"
)

const (
	// mendEvery is how often the embedded broker is looked at.
	mendEvery = 2 * time.Second
	// mendPause is how long a broker that was restarted has to show that it
	// acknowledges again.
	mendPause = 10 * time.Second
	// mendRoom is what has to fit on the disk before a restart is worth it.
	mendRoom = 1 << 20
)

// mendBroker restarts the embedded broker where it acknowledges nothing
// although there is room on its disk: after the disk was full, its streams
// refuse to write until they are opened anew.
func (s *service) mendBroker(ctx context.Context) error {
	dir := filepath.Join(s.settings.DataDir, brokerDir)
	for sleep(ctx, mendEvery) {
		if s.publisher.Trouble() == nil || !hasRoom(dir) {
			continue
		}
		if err := s.broker.embedded.Restart(); err != nil {
			s.logger.Error("embedded broker acknowledges nothing, and cannot be restarted", "err", err)
			continue
		}
		s.logger.Warn("embedded broker restarted, because it acknowledged nothing")
		sleep(ctx, mendPause)
	}
	return nil
}

// sleep reports whether it slept to the end, and not only until ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// hasRoom reports whether a file can be written and synced.
func hasRoom(dir string) bool {
	file, err := os.CreateTemp(dir, "room-*")
	if err != nil {
		return false
	}
	defer os.Remove(file.Name())
	defer file.Close()
	_, err = file.Write(make([]byte, mendRoom))
	return err == nil && file.Sync() == nil
}
