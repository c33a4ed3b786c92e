package server_test

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/logoutd/logoutd/internal/server"
)

// dialFrom connects from an address of the loopback network.
func dialFrom(t *testing.T, from, addr string) client {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := dialer.Dial("tcp", addr)
	if err != nil {
		t.Skip("this machine has no second loopback address:", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return newClient(t, conn)
}

// busy sends a request that is answered when answer is closed.
func (c client) busy(asked <-chan struct{}) client {
	c.t.Helper()
	c.send("POST /slow HTTP/1.1\r\nHost: a\r\n\r\n")
	<-asked
	return c
}

// TestConnectionsAreLimited: idle ones make room, the oldest first and of the
// same address where that has its share; who is being answered stays.
func TestConnectionsAreLimited(t *testing.T) {
	t.Parallel()
	registry, asked, answer := prometheus.NewRegistry(), make(chan struct{}), make(chan struct{})
	addr := serve(t, server.New(server.Config{
		Name: "test", MaxConnections: 6, Registerer: registry,
		Exempt: func(addr netip.Addr) bool { return addr == netip.MustParseAddr("127.0.0.9") },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				asked <- struct{}{}
				<-answer
			}
			w.WriteHeader(http.StatusNoContent)
		}),
	}))
	expect := func(metrics string) {
		t.Helper()
		if err := testutil.GatherAndCompare(registry, strings.NewReader(metrics), "logoutd_connections", "logoutd_connections_refused_total", "logoutd_connections_closed_for_room_total"); err != nil {
			t.Error(err)
		}
	}

	// The share of an address is 3.
	inFlight := dialFrom(t, "127.0.0.1", addr).busy(asked)
	silent := dialFrom(t, "127.0.0.1", addr)
	half := dialFrom(t, "127.0.0.1", addr)
	half.send("POST / HTTP/1.1\r\n")
	other := dialFrom(t, "127.0.0.2", addr)
	other.send(logout)
	other.expect(http.StatusNoContent)
	fourth := dialFrom(t, "127.0.0.1", addr) // in place of the oldest
	silent.expectEnd()
	fourth.busy(asked)
	fifth := dialFrom(t, "127.0.0.1", addr).busy(asked)
	half.expectEnd()
	dialFrom(t, "127.0.0.1", addr).expectEnd() // nothing of its address is idle

	// A trusted proxy can have the rest, and what others do not use.
	proxy := dialFrom(t, "127.0.0.9", addr).busy(asked)
	another := dialFrom(t, "127.0.0.9", addr).busy(asked)
	third := dialFrom(t, "127.0.0.9", addr).busy(asked)
	other.expectEnd()
	dialFrom(t, "127.0.0.9", addr).expectEnd()
	expect(`
# HELP logoutd_connections Open connections. On an idle one no request is being answered.
# TYPE logoutd_connections gauge
logoutd_connections{listener="test",state="active"} 6
logoutd_connections{listener="test",state="idle"} 0
# HELP logoutd_connections_closed_for_room_total Idle connections that were closed to make room for new ones.
# TYPE logoutd_connections_closed_for_room_total counter
logoutd_connections_closed_for_room_total{listener="test"} 3
# HELP logoutd_connections_refused_total New connections that there was no room for, by the limit that was reached: total, or address for that of one address.
# TYPE logoutd_connections_refused_total counter
logoutd_connections_refused_total{listener="test",reason="address"} 1
logoutd_connections_refused_total{listener="test",reason="total"} 1
`)

	close(answer)
	for _, c := range []client{inFlight, fourth, fifth, proxy, another, third} {
		c.expect(http.StatusNoContent)
	}
	late := dialFrom(t, "127.0.0.3", addr)
	late.send(logout)
	late.expect(http.StatusNoContent)
}

// TestLimitsHoldOverHTTP2: a connection is busy while any of its streams is.
func TestLimitsHoldOverHTTP2(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}), make(chan struct{})
	addr := serve(t, server.New(server.Config{MaxConnections: 1, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-answer
		_, _ = io.WriteString(w, r.Proto)
	})}))
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	h2 := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	got := make(chan string, 1)
	go func() {
		response, err := h2.Get("http://" + addr)
		if err != nil {
			got <- err.Error()
			return
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		got <- string(body)
	}()
	<-asked
	dial(t, addr).expectEnd()
	close(answer)
	if body := <-got; body != "HTTP/2.0" {
		t.Errorf("answer %q", body)
	}
	again := dial(t, addr) // the connection of HTTP/2 is idle now
	again.send(logout)
	<-asked
	again.expect(http.StatusOK)
}
