package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// stand is a server under load.
type stand struct {
	server      *httptest.Server
	connections atomic.Int64
}

func newStand(t *testing.T, handler http.HandlerFunc) *stand {
	t.Helper()
	s := &stand{server: httptest.NewUnstartedServer(handler)}
	s.server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.server.Start()
	t.Cleanup(s.server.Close)
	return s
}

func (s *stand) target(t *testing.T, c *users) *target {
	t.Helper()
	target, err := newTarget(s.server.URL, dialects["sap_v1"], c.sessions)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// usersOf returns n users who count as registered.
func usersOf(n int) *users {
	c := newUsers()
	c.registered.Store(int64(n))
	return c
}

func TestClosedLoopEndsWithTheTokens(t *testing.T) {
	t.Parallel()
	const n = 500
	c := usersOf(n)
	var mu sync.Mutex
	seen := map[string]int{}
	s := newStand(t, func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("X-SMP-SESSID")
		if err != nil || r.URL.Path != dialects["sap_v1"].path {
			http.Error(w, "not a logout", http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		seen[cookie.Value]++
		w.WriteHeader(http.StatusNoContent)
	})
	var told atomic.Int64
	r, err := load{
		target: s.target(t, c), next: c.next, connections: 4, duration: time.Minute,
		answered: func(int, time.Time) { told.Add(1) },
	}.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Good != n || r.Bad != 0 || told.Load() != n {
		t.Errorf("%d good answers, %d others, %d told; want %d good ones", r.Good, r.Bad, told.Load(), n)
	}
	for i := range n {
		if seen[c.sessions.token(i)] != 1 {
			t.Errorf("token %d came %d times", i, seen[c.sessions.token(i)])
		}
	}
	if got := s.connections.Load(); got != 4 {
		t.Errorf("%d connections were made, want 4 that are kept", got)
	}
}

func TestAnswersThatAreNotGoodDoNotCount(t *testing.T) {
	t.Parallel()
	c := usersOf(100)
	var n atomic.Int64
	s := newStand(t, func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) % 4 {
		case 0:
			http.Error(w, "unavailable", http.StatusServiceUnavailable)
		case 1:
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		case 2:
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusNoContent)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	r, err := load{target: s.target(t, c), next: c.next, connections: 1, duration: time.Minute}.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Good != 50 || r.Statuses[503] != 25 || r.Statuses[0] != 25 || r.Bad != 50 || r.Latency.count() != 50 {
		t.Errorf("answers are %v, %d latencies", r.Statuses, r.Latency.count())
	}
}

// A server that stalls once delays all requests that are due meanwhile. A
// closed loop sees one slow answer a connection.
func TestOpenLoopCountsWhatAStallDelays(t *testing.T) {
	t.Parallel()
	const (
		rate        = 400
		stall       = 400 * time.Millisecond
		connections = 2
	)
	c := usersOf(rate)
	var begun sync.Once
	var gate sync.RWMutex
	s := newStand(t, func(w http.ResponseWriter, r *http.Request) {
		begun.Do(func() {
			gate.Lock()
			time.AfterFunc(stall, gate.Unlock)
		})
		gate.RLock()
		defer gate.RUnlock()
		w.WriteHeader(http.StatusNoContent)
	})
	r, err := load{
		target: s.target(t, c), next: c.next, connections: connections, duration: time.Second, rate: rate,
	}.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Good != rate || r.Unsent != 0 {
		t.Errorf("%d good answers, %d unsent; want all %d", r.Good, r.Unsent, rate)
	}
	// During the stall 160 were due, half of them more than 200 ms before its end.
	if share := 1 - 75.0/rate; r.Latency.quantile(share) < stall/2 {
		t.Errorf("quantile %.2f is %v: fewer than 75 requests waited for %v", share, r.Latency.quantile(share), stall/2)
	}
	if r.Elapsed < 900*time.Millisecond {
		t.Errorf("the run took %v: requests were sent before they were due", r.Elapsed)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	hanging := make(chan struct{})
	defer close(hanging) // before the server waits for its handlers
	var once sync.Once
	s := newStand(t, func(http.ResponseWriter, *http.Request) {
		once.Do(cancel)
		<-hanging
	})
	for _, rate := range []float64{0, 100} {
		_, err := load{target: s.target(t, newUsers()), next: endless(), connections: 2, duration: time.Hour, rate: rate}.run(ctx)
		if err == nil {
			t.Error("a run without an answer is no failure")
		}
	}
}

func TestTargetsAreURLs(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "localhost:8080", "ftp://localhost", "http://", "http://a b"} {
		if _, err := newTarget(url, dialects["sap_v1"], "s-"); err == nil {
			t.Errorf("%q is taken for a public URL", url)
		}
	}
	for url, want := range map[string]string{
		"http://example.com": "example.com:http", "https://example.com/base": "example.com:https", "http://[::1]:80": "[::1]:80",
	} {
		if got, err := newTarget(url, dialects["kratos"], "s-"); err != nil || got.address != want {
			t.Errorf("%q is at %v, %v; want %s", url, got, err, want)
		}
	}
}
