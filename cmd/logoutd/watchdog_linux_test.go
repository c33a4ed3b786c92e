package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/broker/embedded"
	"github.com/logoutd/logoutd/internal/messages"
)

// TestRestartOnlyWhereItHelps: the embedded broker is restarted after a stream
// could not write, and not because it refuses what is published: that is the
// same after a restart, which throws off whoever is connected.
func TestRestartOnlyWhereItHelps(t *testing.T) {
	t.Parallel()
	s, js, said := watchedBroker(t)
	publisher := broker.NewPublisher(js, nil)
	t.Cleanup(publisher.Close)
	publish := func() error {
		at := events.At(time.Now())
		return publisher.Requests(t.Context(), messages.Request{
			ID: "session-x", Scope: "session", SessionID: "x", Cutoff: at, RequestedAt: at, Fenced: true,
		})
	}
	if err := publish(); err != nil {
		t.Fatal(err)
	}

	limitRequests(t, js, 1)
	if err := publish(); !errors.Is(err, broker.ErrUnavailable) {
		t.Fatalf("beyond the limit of the stream: %v", err)
	}
	if within(3*watchdogEvery, func() bool { return said.contains("embedded broker restarted") }) {
		t.Fatal("a broker that is at its limit was restarted")
	}
	limitRequests(t, js, -1)
	if err := publish(); err != nil {
		t.Fatal(err)
	}

	fillDisk(t, filepath.Join(s.settings.DataDir, brokerDir))
	if err := publish(); err == nil {
		t.Fatal("a full disk took a request")
	}
	eventually(t, "the broker is restarted", func() bool { return said.contains("embedded broker restarted") })
	eventually(t, "it takes requests again", func() bool { return publish() == nil })
	if err := publisher.Trouble(t.Context()); err != nil {
		t.Error(err)
	}
}

// watchedBroker starts an embedded broker with its watchdog. said gets what the
// watchdog logs.
func watchedBroker(t *testing.T) (s *service, js jetstream.JetStream, said *output) {
	t.Helper()
	said = &output{}
	s = &service{settings: &Settings{DataDir: t.TempDir()}, logger: slog.New(slog.NewTextHandler(said, nil)), broker: &brokerConn{}}
	var err error
	s.broker.embedded, err = embedded.Start(embedded.Config{Dir: filepath.Join(s.settings.DataDir, brokerDir), Listen: "-"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.broker.embedded.Close)
	conn, err := s.broker.embedded.Connect(broker.ConnectConfig{Name: "logoutd"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if js, err = broker.JetStream(conn); err != nil {
		t.Fatal(err)
	}
	if err := broker.Setup(t.Context(), js); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.watchBroker(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return s, js, said
}

// fillDisk has the open files of the streams in dir write to a disk that is
// full: /dev/full takes nothing. What is opened later is written.
func fillDisk(t *testing.T, dir string) {
	t.Helper()
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	replaced := 0
	for _, entry := range open {
		path, err := os.Readlink(filepath.Join("/proc/self/fd", entry.Name()))
		fd, notNumber := strconv.Atoi(entry.Name())
		if err != nil || notNumber != nil || !strings.HasPrefix(path, dir) || !strings.HasSuffix(path, ".blk") {
			continue
		}
		if err := syscall.Dup3(int(full.Fd()), fd, syscall.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		replaced++
	}
	if replaced == 0 {
		t.Fatal("no stream has an open file")
	}
}
