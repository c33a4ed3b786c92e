package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/store/redisstore/redistest"
)

// natsServer is a NATS with JetStream as a process of its own. It keeps its
// port and its files when it is stopped and started again.
type natsServer struct {
	*process
	env  []string
	dir  string
	args []string
	port int
}

// newNATS starts a NATS that lets everybody in.
func newNATS(t testing.TB) *natsServer {
	t.Helper()
	return newNATSWith(t, "jetstream { store_dir: /data, sync_interval: always }")
}

// newNATSWith starts a NATS with a configuration, whose /data is a directory
// of the test's, and an environment.
func newNATSWith(t testing.TB, config string, env ...string) *natsServer {
	t.Helper()
	n := &natsServer{env: env, dir: t.TempDir(), port: freePort(t)}
	file := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(config, "/data", n.dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	n.args = []string{"--config", file, "--addr", "127.0.0.1", "--port", strconv.Itoa(n.port)}
	n.start(t)
	return n
}

// newNATSCluster starts a cluster of three.
func newNATSCluster(t testing.TB) (cluster [3]*natsServer) {
	t.Helper()
	routes := make([]string, len(cluster))
	for i := range routes {
		routes[i] = net.JoinHostPort("127.0.0.1", strconv.Itoa(freePort(t)))
	}
	for i, listen := range routes {
		cluster[i] = newNATSWith(t, fmt.Sprintf(`
			server_name: nats-%d
			cluster { name: logoutd, listen: "%s", routes: ["nats://%s"] }
			jetstream { store_dir: /data, sync_interval: always }`, i, listen, strings.Join(routes, `", "nats://`)))
	}
	return cluster
}

func (n *natsServer) start(t testing.TB) {
	t.Helper()
	n.process = launch(t, n.dir, n.env, build(t, natsProgram), n.args...)
	n.await("nats-server", func() bool { return n.stderr.contains("Server is ready") })
}

func (n *natsServer) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(n.port)) }

func (n *natsServer) url() string { return "nats://" + n.address() }

// jetStream returns a connection of the test's own.
func (n *natsServer) jetStream(t testing.TB, options ...nats.Option) jetstream.JetStream {
	t.Helper()
	conn, err := nats.Connect(n.url(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// freePort finds a port that stays free while its server is stopped: outside
// the range that systems give to outgoing connections.
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

// backends are a NATS and a Redis that several processes share.
type backends struct {
	nats  *natsServer
	redis *redistest.Server
}

func newBackends(t testing.TB) backends {
	t.Helper()
	return backends{newNATS(t), redistest.Start(t)}
}

// someSecret is LOGOUTD_SECRET of split roles.
const someSecret = "some-secret-of-at-least-thirty-two-bytes"

// setup returns how an instance with some of the roles is run on them.
func (b backends) setup(t testing.TB, roles, yaml string) setup {
	t.Helper()
	s := newSetup(t, yaml, "--roles", roles)
	s.env = []string{"LOGOUTD_NATS_URL=" + b.nats.url(), "LOGOUTD_REDIS_URL=" + b.redis.URL(), "LOGOUTD_SECRET=" + someSecret}
	return s
}
