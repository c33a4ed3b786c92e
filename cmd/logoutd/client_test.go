package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sync/errgroup"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/health"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/sqlitestore"
	"github.com/logoutd/logoutd/workers"
)

const scriptToken = "raw-admin-token-of-more-than-32-bytes"

func TestMain(m *testing.M) { testscript.Main(cleaning{m}, map[string]func(){"logoutd": main}) }

// TestScripts runs the commands as a user does. Each script has a server of
// its own, with a real store and a real broker.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error { return newServer(env.T().(testing.TB)).setup(env) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"deadletter": deadLetterCmd, "settled": settledCmd, "announce": announceCmd, "unready": unreadyCmd, "stopbroker": stopBrokerCmd, "later": laterCmd, "jsonlines": jsonLinesCmd, "await": awaitCmd,
		},
	})
}

// testServer is a server in the test's process.
type testServer struct {
	broker    *eventstest.Broker
	publisher *broker.Publisher
	http      *httptest.Server
	letters   *deadletters.Letters
	unready   atomic.Bool
}

func newServer(t testing.TB) *testServer {
	server := eventstest.Start(t)
	sessions, err := sqlitestore.Open(filepath.Join(t.TempDir(), "store.db"), sqlitestore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sessions.Close() })
	s := &testServer{broker: server, publisher: broker.NewPublisher(server.JS, nil)}
	t.Cleanup(s.publisher.Close)
	mux := http.NewServeMux()
	s.serveOperators(t, mux, sessions)
	health.Routes(mux, allRoles, []health.Check{{Name: "store", Run: s.ready}}, prometheus.NewRegistry())
	s.http = httptest.NewServer(mux)
	t.Cleanup(s.http.Close)
	t.Cleanup(s.http.CloseClientConnections)
	return s
}

// serveOperators gives the server what operators work with.
func (s *testServer) serveOperators(t testing.TB, mux *http.ServeMux, sessions store.Store) {
	t.Helper()
	serving := &service{
		settings: &Settings{Roles: allRoles, DataDir: t.TempDir()}, logger: slog.New(slog.DiscardHandler),
		metrics: prometheus.NewRegistry(), frontMetrics: prometheus.NewRegistry(),
		adminToken: scriptToken, secret: []byte(strings.Repeat("s", minSecret)),
		broker: &brokerConn{}, store: sessions, js: s.broker.JS, publisher: s.publisher,
	}
	serving.broker.setUp.Store(true)
	ctx, cancel := context.WithCancel(context.Background())
	if err := serving.openOperations(ctx); err != nil {
		t.Fatal(err)
	}
	s.letters = serving.operations.letters
	serving.handleOperators(ctx, mux)
	var running errgroup.Group
	revoker := workers.NewRevoker(workers.RevokerConfig{
		JetStream: s.broker.JS, Publisher: s.publisher, Store: sessions, Metrics: workers.NewMetrics(prometheus.NewRegistry()),
		Logger: slog.New(slog.DiscardHandler),
	})
	for _, work := range append(serving.operations.work(), revoker.Run) {
		running.Go(func() error { return work(ctx) })
	}
	t.Cleanup(func() {
		cancel()
		if err := running.Wait(); err != nil {
			t.Error(err)
		}
		serving.close()
	})
}

func (s *testServer) ready(context.Context) error {
	if s.unready.Load() {
		return errors.New("cannot be reached")
	}
	return nil
}

func (s *testServer) setup(env *testscript.Env) error {
	env.Values["server"] = s
	env.Setenv("LOGOUTD_ADMIN_URL", s.http.URL)
	env.Setenv("LOGOUTD_DATA_DIR", filepath.Join(env.WorkDir, "data"))
	env.Setenv("LATER", time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	if err := os.Mkdir(filepath.Join(env.WorkDir, "data"), 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(env.WorkDir, "data", adminTokenFile), []byte(scriptToken+"\n"), 0o600)
}

func serverOf(ts *testscript.TestScript) *testServer { return ts.Value("server").(*testServer) }

var deadAt = events.At(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))

// deadLetterCmd records dead letters: deadletter id...
func deadLetterCmd(ts *testscript.TestScript, _ bool, ids []string) {
	for _, id := range ids {
		request := messages.Request{
			ID: id, Dialect: "sap", Initiator: messages.InitiatorUser, Scope: "user", UserID: "u", TenantID: "acme", Cutoff: deadAt, RequestedAt: deadAt,
		}
		err := serverOf(ts).publisher.DeadLetter(context.Background(), messages.DeadLetter{
			ID: id, Step: messages.StepRevoke, Code: "some_code", Error: "some\x1b[31m\nerror", Attempts: 3,
			FirstFailedAt: deadAt, LastFailedAt: deadAt, FailedAt: deadAt, Request: &request,
		}, 1)
		ts.Check(err)
	}
}

// settledCmd waits until operators see so many dead letters: settled n.
func settledCmd(ts *testscript.TestScript, _ bool, args []string) {
	s := serverOf(ts)
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		n, err := s.letters.Count(context.Background(), deadletters.Filter{})
		if err == nil && fmt.Sprint(n) == args[0] {
			return
		}
		<-time.After(10 * time.Millisecond)
	}
	ts.Fatalf("operators do not come to see %s dead letters", args[0])
}

// announceCmd publishes public events: announce id...
func announceCmd(ts *testscript.TestScript, _ bool, ids []string) {
	for _, id := range ids {
		msg, err := messages.RevokedMessage(events.Revoked{Scope: "user", RequestID: id, UserID: "u", RequestedAt: deadAt, CompletedAt: deadAt}, "")
		ts.Check(err)
		ts.Check(serverOf(ts).publisher.All(context.Background(), []*nats.Msg{msg}))
	}
}

// unreadyCmd makes the server say that it is not ready.
func unreadyCmd(ts *testscript.TestScript, _ bool, _ []string) { serverOf(ts).unready.Store(true) }

// stopBrokerCmd takes the broker away.
func stopBrokerCmd(ts *testscript.TestScript, _ bool, _ []string) { serverOf(ts).broker.Stop() }

// laterCmd replaces LATER in files by a time to come: later file...
func laterCmd(ts *testscript.TestScript, _ bool, files []string) {
	for _, file := range files {
		text := strings.ReplaceAll(ts.ReadFile(file), "LATER", ts.Getenv("LATER"))
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
	}
}

// jsonLinesCmd checks that a file (stdout) has n lines of JSON: jsonlines file n.
func jsonLinesCmd(ts *testscript.TestScript, _ bool, args []string) {
	lines := strings.Split(strings.TrimSuffix(ts.ReadFile(args[0]), "\n"), "\n")
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			ts.Fatalf("not JSON: %q", line)
		}
	}
	if fmt.Sprint(len(lines)) != args[1] {
		ts.Fatalf("%d lines, want %s", len(lines), args[1])
	}
}

// awaitCmd waits until a file holds a text: await file text.
func awaitCmd(ts *testscript.TestScript, _ bool, args []string) {
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		text, _ := os.ReadFile(ts.MkAbs(args[0]))
		if strings.Contains(string(text), args[1]) {
			return
		}
		<-time.After(10 * time.Millisecond)
	}
	ts.Fatalf("%s does not come to hold %s", args[0], args[1])
}
