package embedded_test

import (
	"encoding/json"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/broker/embedded"
	"github.com/logoutd/logoutd/internal/messages"
)

func start(t *testing.T, c embedded.Config) *embedded.Broker {
	t.Helper()
	b, err := embedded.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func TestNobodyEntersWithoutCredential(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	u, err := url.Parse(b.Subscribe("shop"))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	b.Subscribe("other")
	for name, option := range map[string]nats.Option{
		"nothing":                       nats.Name(""),
		"a wrong token":                 nats.Token("wrong"),
		"the password as a token":       nats.Token(password),
		"the password as a user":        nats.UserInfo(password, ""),
		"a wrong password":              nats.UserInfo("shop", "wrong"),
		"no password":                   nats.UserInfo("shop", ""),
		"another one's password":        nats.UserInfo("other", password),
		"an unknown user":               nats.UserInfo("any", password),
		"the process, without password": nats.UserInfo("logoutd", ""),
		"the process, wrong password":   nats.UserInfo("logoutd", password),
	} {
		conn, err := nats.Connect(b.URL(), option)
		if err == nil {
			conn.Close()
			t.Errorf("%s: let in", name)
		} else if !strings.Contains(err.Error(), "Authorization Violation") {
			t.Errorf("%s: %v, want an authorization violation", name, err)
		}
	}
}

func TestBusyPortNamesAddress(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	address := listener.Addr().String()
	err = start(t, embedded.Config{Dir: t.TempDir(), Listen: address}).SetSubscribers(nil)
	if err == nil {
		t.Fatal("listens on a busy port")
	}
	if !strings.Contains(err.Error(), address) || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("error %q does not say that %s is in use", err, address)
	}
}

func TestUnusableSettingsAreRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ dir, listen, want string }{
		{t.TempDir(), "4222", `"4222": give host:port, or - for none`},
		{t.TempDir(), "localhost:nats", `"localhost:nats": the port must be a number`},
		{filepath.Join(file, "sub"), "-", "not a directory"},
	} {
		b, err := embedded.Start(embedded.Config{Dir: tt.dir, Listen: tt.listen})
		if err == nil {
			b.Close()
			t.Errorf("%+v: started", tt)
		} else if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %q lacks %q", err, tt.want)
		}
	}
}

func TestWithoutListenerServesProcessOnly(t *testing.T) {
	t.Parallel()
	b := start(t, embedded.Config{Dir: t.TempDir(), Listen: "-"})
	if err := b.SetSubscribers(nil); err != nil || b.URL() != "" {
		t.Errorf("URL %q, want none: %v", b.URL(), err)
	}
	conn, err := b.Connect(broker.ConnectConfig{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := broker.JetStream(conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := broker.Setup(t.Context(), js); err != nil {
		t.Fatal(err)
	}
}

func TestRestartKeepsMessages(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	announce(t, b, "r1", "r2")
	b.Stop()
	b.Restart()
	var ids []string
	for _, msg := range b.Messages(events.StreamEvents) {
		var e events.Event[events.Revoked]
		if err := json.Unmarshal(msg.Data, &e); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	if got := strings.Join(ids, " "); got != "r1 r2" {
		t.Errorf("after the restart: %q, want r1 r2", got)
	}
}

func TestFilesAreTheOwnersOnly(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data", "nats")
	b := start(t, embedded.Config{Dir: dir, Listen: "-"})
	conn, err := b.Connect(broker.ConnectConfig{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := broker.JetStream(conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := broker.Setup(t.Context(), js); err != nil {
		t.Fatal(err)
	}
	files := 0
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // the broker may remove a temporary file meanwhile
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 && entry.IsDir() {
			t.Errorf("%s is open to others: %v", path, info.Mode())
		}
		files++
		return nil
	})
	if err != nil || files < 5 {
		t.Errorf("walked %d files of a broker with streams: %v", files, err)
	}
}

// announce puts public events on the broker, one an id.
func announce(t *testing.T, b *eventstest.Broker, ids ...string) {
	t.Helper()
	p := broker.NewPublisher(b.JS, nil)
	defer p.Close()
	for _, id := range ids {
		msg, err := messages.RevokedMessage(events.Revoked{Scope: "user", RequestID: id}, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := p.All(t.Context(), []*nats.Msg{msg}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRestartKeepsMessagesAndConnections(t *testing.T) {
	t.Parallel()
	server, err := embedded.Start(embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if err := server.SetSubscribers(nil); err != nil {
		t.Fatal(err)
	}
	back := make(chan struct{}, 1)
	conn, err := server.Connect(broker.ConnectConfig{Name: "test", Options: []nats.Option{
		nats.ReconnectHandler(func(*nats.Conn) { back <- struct{}{} }),
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := broker.JetStream(conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := broker.Setup(t.Context(), js); err != nil {
		t.Fatal(err)
	}
	publisher := broker.NewPublisher(js, nil)
	defer publisher.Close()
	publish := func(id string) {
		t.Helper()
		r := messages.Request{ID: id, Scope: "session", SessionID: id, Cutoff: events.At(time.Now())}
		if err := publisher.Requests(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	publish("before")
	url := server.URL()
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	<-back
	publish("after")
	stream, err := js.Stream(t.Context(), messages.StreamRequests)
	if err != nil {
		t.Fatal(err)
	}
	if n := stream.CachedInfo().State.Msgs; n != 2 || server.URL() != url {
		t.Errorf("%d messages at %s, want 2 at %s", n, server.URL(), url)
	}
}
