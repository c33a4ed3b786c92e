package access_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/testkit"
)

const root = "raw-root-token"

// broker is a NATS that connections survive.
type testBroker struct {
	t       *testing.T
	options server.Options
	server  *server.Server
}

func startBroker(t *testing.T) *testBroker {
	t.Helper()
	b := &testBroker{t: t, options: server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true,
	}}
	b.start()
	t.Cleanup(b.stop)
	return b
}

// start starts it, on the files and the address that it has.
func (b *testBroker) start() {
	b.t.Helper()
	options := b.options // the server changes them
	var err error
	if b.server, err = server.NewServer(&options); err != nil {
		b.t.Fatal(err)
	}
	b.server.Start()
	if !b.server.ReadyForConnections(30 * time.Second) {
		b.t.Fatal("the broker does not start")
	}
	b.options.Port = options.Port
}

func (b *testBroker) stop() {
	b.server.Shutdown()
	b.server.WaitForShutdown()
}

// connect returns a connection as a process has it.
func (b *testBroker) connect() jetstream.JetStream {
	b.t.Helper()
	conn, err := broker.Connect(broker.ConnectConfig{
		URL: b.server.ClientURL(), Name: "admin", Options: []nats.Option{nats.ReconnectWait(10 * time.Millisecond)},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(conn.Close)
	js, err := broker.JetStream(conn)
	if err != nil {
		b.t.Fatal(err)
	}
	return js
}

// instance returns the tokens of one more process, which runs until the test
// ends.
func (b *testBroker) instance() *access.Tokens {
	b.t.Helper()
	tokens := access.New(access.Config{JetStream: b.connect(), Root: root})
	run(b.t, tokens)
	return tokens
}

// ready is an instance that has read the tokens.
func (b *testBroker) ready() *access.Tokens {
	b.t.Helper()
	tokens := b.instance()
	testkit.Eventually(b.t, "tokens read", tokens.Loaded)
	return tokens
}

// run runs tokens until the test ends, or stop is called.
func run(t *testing.T, tokens *access.Tokens) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- tokens.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

func create(t *testing.T, tokens *access.Tokens, name string, role access.Role) (secret string) {
	t.Helper()
	secret, _, err := tokens.Create(t.Context(), name, role, access.RootName)
	if err != nil {
		t.Fatalf("creating %s: %v", name, err)
	}
	return secret
}

func revoke(t *testing.T, tokens *access.Tokens, name string) {
	t.Helper()
	if err := tokens.Revoke(t.Context(), name); err != nil {
		t.Fatalf("revoking %s: %v", name, err)
	}
}

// opens reports whether a secret lets somebody in.
func opens(tokens *access.Tokens, secret string) bool {
	_, ok := tokens.Authenticate(secret)
	return ok
}
