package redistest

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// patience is how long a server may take to start, or a cluster to form.
const patience = 20 * time.Second

// Server is one redis-server. What it has acknowledged survives [Server.Stop]
// and [Server.Restart].
type Server struct {
	t       testing.TB
	port    int
	busPort int // of a cluster; 0: not a member of one
	dir     string

	mu  sync.Mutex
	cmd *exec.Cmd
	log bytes.Buffer
}

// Start starts a server and waits until it answers.
func Start(t testing.TB) *Server {
	t.Helper()
	s := newServer(t)
	s.Restart()
	return s
}

func newServer(t testing.TB) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("redis-server is not installed")
		}
		t.Skip("redis-server is not installed")
	}
	s := &Server{t: t, port: freePort(t), dir: t.TempDir()}
	t.Cleanup(s.Stop)
	return s
}

// Addr is the server's host and port, which stay the same over restarts.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL is the server as logoutd's settings name it.
func (s *Server) URL() string { return "redis://" + s.Addr() }

// Client returns a client of the server, which is closed when the test ends.
func (s *Server) Client() *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: s.Addr(), DialerRetries: 1})
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// Stop kills the server, as a crash would. It does nothing to a stopped one.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // killed
	s.cmd = nil
}

// Restart starts a stopped server again, on its port and with its data, and
// waits until it answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.restart(s.answers)
}

// loadDelay is how long the server takes for each key when it restarts after
// [Server.RestartLoading]. It looks at its connections every 1,024 keys.
const loadDelay = 200 * time.Microsecond

// RestartLoading is Restart for a server that reads its data slowly: with some
// 10,000 keys it answers -LOADING for seconds, or until [Server.Loaded].
func (s *Server) RestartLoading() {
	s.t.Helper()
	s.restart(s.loads, "--key-load-delay", strconv.FormatInt(loadDelay.Microseconds(), 10))
}

// Loaded lets a server that still reads its data do so at once.
func (s *Server) Loaded() {
	s.t.Helper()
	if err := s.Client().ConfigSet(context.Background(), "key-load-delay", "0").Err(); err != nil {
		s.t.Fatalf("ending the slow load: %v", err)
	}
}

func (s *Server) restart(ready func() bool, args ...string) {
	s.t.Helper()
	s.mu.Lock()
	s.log.Reset()
	s.cmd = exec.Command("redis-server", append(s.args(), args...)...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	err := s.cmd.Start()
	if err != nil {
		s.cmd = nil
	}
	s.mu.Unlock()
	if err != nil {
		s.t.Fatalf("starting redis-server: %v", err)
	}
	if !eventually(ready) {
		s.Stop()
		s.t.Fatalf("redis-server does not answer:\n%s", s.log.String())
	}
}

func (s *Server) answers() bool { return s.ping() == nil }

func (s *Server) loads() bool {
	err := s.ping()
	return err != nil && strings.HasPrefix(err.Error(), "LOADING ")
}

func (s *Server) ping() error {
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		return err
	}
	_ = c.Close()
	client := redis.NewClient(&redis.Options{Addr: s.Addr(), DialerRetries: 1, MaxRetries: -1})
	defer func() { _ = client.Close() }()
	return client.Ping(context.Background()).Err()
}

func (s *Server) args() []string {
	args := []string{
		"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir,
		"--save", "", "--appendonly", "yes", "--appendfsync", "no",
		"--auto-aof-rewrite-percentage", "0", // would disturb what is measured beside it
	}
	if s.busPort != 0 {
		args = append(args, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(s.busPort))
	}
	return args
}

// Pause makes the server hang: connections stay open and nothing is answered,
// until Resume.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		s.t.Fatal("the server is stopped")
	}
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatalf("signalling redis-server: %v", err)
	}
}

// freePort finds a port that is free, and stays so while its server is
// stopped: outside the range that systems give to outgoing connections.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 10_000 + rand.IntN(20_000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

// eventually polls until it holds, or patience ends.
func eventually(holds func() bool) bool {
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			return false
		case <-tick.C:
		}
	}
	return true
}
