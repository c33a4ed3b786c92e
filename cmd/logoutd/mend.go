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
	// mendEvery is how often the embedded broker is looked at.
	mendEvery = 2 * time.Second
	// mendPause is how long a broker that was restarted has to show that it
	// acknowledges again.
	mendPause = 10 * time.Second
	// mendRoom is what has to fit on the disk before a restart is worth it, in
	// bytes: some seconds of a burst.
	mendRoom = 16 << 20
	// storageLeft is how much has to be left below the limit of the embedded
	// broker, in bytes: less, and the next message may be refused.
	storageLeft = 512 << 10
	// storageWarning is from which part of the limit on operators are warned,
	// in percent.
	storageWarning = 80
)

// mendBroker restarts the embedded broker for the one failure that a restart
// mends: a stream could not write, for a full disk, and would not write again,
// and there is room by now. It also logs when the broker comes near the limit of
// its storage, where it refuses what is published until something is removed.
func (s *service) mendBroker(ctx context.Context) error {
	dir := filepath.Join(s.settings.DataDir, brokerDir)
	warned := false
	for sleep(ctx, mendEvery) {
		near := s.broker.storageNear()
		if near != "" && !warned {
			s.logger.Warn("embedded broker comes near the limit of its storage", "err", near)
		}
		warned = near != ""
		if !s.broker.embedded.NotWriting() || !hasRoom(dir) {
			continue
		}
		if err := s.broker.embedded.Restart(); err != nil {
			s.logger.Error("embedded broker could not write, and cannot be restarted", "err", err)
			continue
		}
		s.logger.Warn("embedded broker restarted, because it could not write and its disk has room again")
		sleep(ctx, mendPause)
	}
	return nil
}

// checkStorage tells why the embedded broker would refuse a message.
func (b *brokerConn) checkStorage() error {
	if b.embedded == nil {
		return nil
	}
	if b.embedded.NotWriting() {
		return errNotWritten
	}
	storage := b.embedded.Storage()
	if storage.Limit > 0 && storage.Used+storageLeft > storage.Limit {
		return fmt.Errorf("the limit of its storage is reached: %d of %d bytes (75 %% of what was free when it started); make room on its disk and restart, or let the workers catch up", storage.Used, storage.Limit)
	}
	return nil
}

// storageNear says that the embedded broker comes near its limit; "": it does
// not.
func (b *brokerConn) storageNear() string {
	if b == nil || b.embedded == nil {
		return ""
	}
	storage := b.embedded.Storage()
	if storage.Limit == 0 || storage.Used < storage.Limit/100*storageWarning {
		return ""
	}
	return fmt.Sprintf("its streams take %d of %d bytes; at the limit logouts get 503", storage.Used, storage.Limit)
}

// measureStorage measures what the streams of the embedded broker take.
func (s *service) measureStorage() {
	gauge := func(name, help string, value func() uint64) {
		s.metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) }))
	}
	gauge("logoutd_broker_storage_bytes", "What the streams of the embedded broker take on disk.",
		func() uint64 { return s.broker.embedded.Storage().Used })
	gauge("logoutd_broker_storage_limit_bytes", "What they can take: 75 % of what was free when the broker started. At the limit logouts get 503.",
		func() uint64 { return s.broker.embedded.Storage().Limit })
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
	defer func() { _ = os.Remove(file.Name()) }()
	defer func() { _ = file.Close() }()
	_, err = file.Write(make([]byte, mendRoom))
	return err == nil && file.Sync() == nil
}
