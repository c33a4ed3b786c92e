package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// watchdogEvery is how often the embedded broker is checked.
	watchdogEvery = 2 * time.Second
	// restartPause is how long a restarted broker has to acknowledge again before
	// it is checked again.
	restartPause = 10 * time.Second
	// neededRoom is the free disk space that a restart requires, in bytes: some
	// seconds of a burst.
	neededRoom = 16 << 20
	// storageLeft is the minimum space below the limit of the embedded broker, in
	// bytes: with less, the next message may be refused.
	storageLeft = 512 << 10
	// storageWarning is the share of the limit, in percent, from which operators
	// are warned.
	storageWarning = 80
)

// watchBroker restarts the embedded broker after the one failure that a restart
// repairs: a stream stopped writing because the disk was full, and the disk has
// space again. It also logs when the broker comes near its storage limit, at
// which it refuses messages until some are removed.
func (s *service) watchBroker(ctx context.Context) error {
	dir := filepath.Join(s.settings.DataDir, brokerDir)
	warned := false
	for sleep(ctx, watchdogEvery) {
		near := s.broker.storageNear()
		if near != "" && !warned {
			s.logger.Warn("embedded broker is near its storage limit", "err", near)
		}
		warned = near != ""
		if !s.broker.embedded.NotWriting() || !hasRoom(dir) {
			continue
		}
		if err := s.broker.embedded.Restart(); err != nil {
			s.logger.Error("restarting the embedded broker failed; it cannot write", "err", err)
			continue
		}
		s.logger.Warn("embedded broker restarted: it could not write, and its disk has space again")
		sleep(ctx, restartPause)
	}
	return nil
}

// checkStorage reports why the embedded broker would refuse a message.
func (b *brokerConn) checkStorage() error {
	if b.embedded == nil {
		return nil
	}
	if b.embedded.NotWriting() {
		return errNotWriting
	}
	storage := b.embedded.Storage()
	if storage.Limit > 0 && storage.Used+storageLeft > storage.Limit {
		return fmt.Errorf("storage limit reached: %d of %d bytes (75 %% of the space that was free at the start); free disk space and restart, or wait until the workers catch up", storage.Used, storage.Limit)
	}
	return nil
}

// storageNear says that the embedded broker is near its storage limit; empty:
// it is not.
func (b *brokerConn) storageNear() string {
	if b == nil || b.embedded == nil {
		return ""
	}
	storage := b.embedded.Storage()
	if storage.Limit == 0 || storage.Used < storage.Limit/100*storageWarning {
		return ""
	}
	return fmt.Sprintf("its streams use %d of %d bytes; at the limit, logouts are answered with 503", storage.Used, storage.Limit)
}

// measureStorage registers metrics of the embedded broker's storage.
func (s *service) measureStorage() {
	gauge := func(name, help string, value func() uint64) {
		s.metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) }))
	}
	gauge("logoutd_broker_storage_bytes", "Disk space used by the streams of the embedded broker, in bytes.",
		func() uint64 { return s.broker.embedded.Storage().Used })
	gauge("logoutd_broker_storage_limit_bytes", "Storage limit of the embedded broker, in bytes: 75 % of the space that was free when it started. At the limit, logouts are answered with 503.",
		func() uint64 { return s.broker.embedded.Storage().Limit })
}

// sleep sleeps for d and reports true, or false if ctx ends first.
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
	defer func() { _ = os.Remove(file.Name()) }()
	defer func() { _ = file.Close() }()
	_, err = file.Write(make([]byte, neededRoom))
	return err == nil && file.Sync() == nil
}
