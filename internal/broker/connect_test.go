package broker_test

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/testkit"
)

func TestMalformedURLIsRefusedWithoutShowingIt(t *testing.T) {
	t.Parallel()
	conn, err := broker.Connect(broker.ConnectConfig{URL: "nats://user:hunter2@host:port", Name: "test"})
	if err == nil {
		conn.Close()
		t.Fatal("accepted")
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error shows the password: %v", err)
	}
}

// passwords lets a user in whose password can be changed, and counts whom it
// has refused.
type passwords struct {
	right   atomic.Pointer[string]
	refused atomic.Int32
}

func (p *passwords) Check(client server.ClientAuthentication) bool {
	if client.GetOpts().Password != *p.right.Load() {
		p.refused.Add(1)
		return false
	}
	client.RegisterUser(&server.User{Username: client.GetOpts().Username})
	return true
}

func (p *passwords) set(password string) { p.right.Store(&password) }

// logged is a log that a test reads.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logged) count(text string) int { return strings.Count(l.String(), text) }

func runServer(t *testing.T, opts *server.Options) *server.Server {
	t.Helper()
	opts.Host, opts.NoSigs, opts.NoLog = "127.0.0.1", true, true
	if opts.Port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	s, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("server does not start")
	}
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s
}

// A server refuses the password for some time: the client tries again for as
// long as that takes, and the log says so once.
func TestConnectionOutlivesARefusedPassword(t *testing.T) {
	t.Parallel()
	door := &passwords{}
	door.set("hunter2")
	s := runServer(t, &server.Options{CustomClientAuthentication: door})
	log, given := &logged{}, &atomic.Int32{}
	conn, err := broker.Connect(broker.ConnectConfig{
		URL: "nats://user:hunter2@" + s.Addr().String(), Name: "test",
		Logger:   slog.New(slog.NewTextHandler(log, nil)),
		OnClosed: func(error) { given.Add(1) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, refusals := range []int32{4, 8} { // the second time the outage is a new one
		door.set("another")
		testkit.Eventually(t, "the client to be connected", conn.IsConnected)
		id, _ := conn.GetClientID()
		if err := s.DisconnectClientByID(id); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, "refusals", func() bool { return door.refused.Load() >= refusals })
		door.set("hunter2")
		testkit.Eventually(t, "the client to be back", conn.IsConnected)
		if err := conn.FlushTimeout(5 * time.Second); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, "the end of the outage in the log", func() bool { return log.count(`msg="broker connected"`) == int(refusals)/4 })
		if n := log.count("cannot be reached"); n != int(refusals)/4 {
			t.Errorf("the cause is logged %d times in %d outages:\n%s", n, refusals/4, log)
		}
	}
	if given.Load() != 0 {
		t.Error("the client gave up")
	}
	if log.count("refuses the user, password or token") == 0 || log.count("hunter2") != 0 {
		t.Errorf("the log must name the cause and no password:\n%s", log)
	}
}

// dials counts attempts to connect.
type dials struct{ n atomic.Int32 }

func (d *dials) Dial(network, address string) (net.Conn, error) {
	d.n.Add(1)
	return net.DialTimeout(network, address, 2*time.Second)
}

// What cannot be reached is logged with its cause, once, and again when that
// changes.
func TestCauseOfAnUnreachableBrokerIsLogged(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := taken.Addr().String()
	_ = taken.Close()
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS()
	defer certified.Close()
	tlsServer := runServer(t, &server.Options{TLS: true, TLSConfig: &tls.Config{Certificates: certified.TLS.Certificates}})
	door := &passwords{}
	door.set("right")
	withPassword := runServer(t, &server.Options{CustomClientAuthentication: door})
	for name, tc := range map[string]struct{ url, cause string }{
		"refused":      {"nats://user:hunter2@" + address, "connection refused"},
		"unknown host": {"nats://user:hunter2@nosuchhost.invalid:4222", "lookup nosuchhost.invalid"},
		"certificate":  {"tls://user:hunter2@" + tlsServer.Addr().String(), "certificate signed by unknown authority"},
		"password":     {"nats://user:hunter2@" + withPassword.Addr().String(), "refuses the user, password or token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, dialer := &logged{}, &dials{}
			conn, err := broker.Connect(broker.ConnectConfig{
				URL: tc.url, Name: "test", Logger: slog.New(slog.NewTextHandler(log, nil)),
				Options: []nats.Option{nats.SetCustomDialer(dialer)},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			testkit.Eventually(t, "some attempts", func() bool { return dialer.n.Load() >= 5 })
			if n := log.count("level=WARN"); n != 1 || log.count(tc.cause) != 1 || log.count("hunter2") != 0 {
				t.Errorf("want one warning that says %q, and no password:\n%s", tc.cause, log)
			}
		})
	}
}

func TestAnotherCauseIsLoggedAgain(t *testing.T) {
	t.Parallel()
	door := &passwords{}
	door.set("right")
	first := runServer(t, &server.Options{CustomClientAuthentication: door})
	host, port, _ := net.SplitHostPort(first.Addr().String())
	log := &logged{}
	conn, err := broker.Connect(broker.ConnectConfig{
		URL: "nats://user:wrong@" + net.JoinHostPort(host, port), Name: "test", Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	testkit.Eventually(t, "a refusal", func() bool { return log.count("refuses the user") == 1 })
	first.Shutdown()
	first.WaitForShutdown()
	testkit.Eventually(t, "an outage", func() bool { return log.count("connection refused") == 1 })
	number, _ := strconv.Atoi(port)
	runServer(t, &server.Options{CustomClientAuthentication: door, Port: number})
	testkit.Eventually(t, "another refusal", func() bool { return log.count("refuses the user") == 2 })
}
