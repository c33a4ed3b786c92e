package redisstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/redisstore"
	"github.com/logoutd/logoutd/store/redisstore/redistest"
)

var alice = store.User{TenantID: "acme", ID: "alice"}

// ids are those of sessions enough to meet every node of a cluster.
func ids(n int) []string {
	var ids []string
	for i := range n {
		ids = append(ids, store.TokenID(string(rune('a'+i))))
	}
	return ids
}

func login(t *testing.T, s store.Store, u store.User, ids ...string) {
	t.Helper()
	var batch []store.Session
	for _, id := range ids {
		batch = append(batch, store.Session{
			ID: id, User: u, DeviceID: "phone",
			AuthenticatedAt: time.Now().Add(-time.Hour), ExpiresAt: time.Now().Add(time.Hour),
		})
	}
	results, err := s.PutSessions(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

func fences(ids ...string) []store.Fence {
	var batch []store.Fence
	for _, id := range ids {
		batch = append(batch, store.Fence{RequestID: "r-" + id, SessionID: id})
	}
	return batch
}

func active(t *testing.T, s store.Store, ids ...string) int {
	t.Helper()
	states, err := s.Sessions(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, state := range states {
		if state.Active {
			n++
		}
	}
	return n
}

func wantUnavailable(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%s: got error %v, want one that wraps ErrUnavailable", what, err)
	}
}

// stoppable is a server or a cluster.
type stoppable interface {
	URL() string
	Stop()
	Restart()
}

func TestDownAtOpenAndBack(t *testing.T) {
	t.Parallel()
	downAndBack(t, redistest.Start(t))
}

func TestClusterDownAtOpenAndBack(t *testing.T) {
	t.Parallel()
	downAndBack(t, redistest.StartCluster(t))
}

func downAndBack(t *testing.T, server stoppable) {
	server.Stop()
	s := open(t, server.URL(), redisstore.Config{})
	wantUnavailable(t, "ping", s.Ping(t.Context()))

	server.Restart()
	testkit.Eventually(t, "the server answers", func() bool { return s.Ping(t.Context()) == nil })
	login(t, s, alice, ids(20)...)

	server.Stop()
	_, err := s.Fence(t.Context(), fences(ids(20)...))
	wantUnavailable(t, "fence", err)
	server.Restart()
	testkit.Eventually(t, "the server answers again", func() bool { return s.Ping(t.Context()) == nil })
	if n := active(t, s, ids(20)...); n != 20 {
		t.Errorf("%d sessions are active after a restart, want 20", n)
	}
}

func TestHangingServerKeepsDeadline(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	used := open(t, server.URL(), redisstore.Config{})
	login(t, used, alice, ids(1)...)
	keepsDeadline(t, used, open(t, server.URL(), redisstore.Config{}), []*redistest.Server{server})
}

func TestHangingClusterKeepsDeadline(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	used := open(t, cluster.URL(), redisstore.Config{})
	login(t, used, alice, ids(20)...)
	keepsDeadline(t, used, open(t, cluster.URL(), redisstore.Config{}), cluster.Nodes)
}

// keepsDeadline lets the servers hang and expects that fences give up at the
// deadline, on connections that stand and on new ones.
func keepsDeadline(t *testing.T, used, fresh *redisstore.Store, servers []*redistest.Server) {
	for _, server := range servers {
		server.Pause()
	}
	for name, s := range map[string]*redisstore.Store{"used": used, "fresh": fresh} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := s.Fence(ctx, fences(ids(20)...))
		wantUnavailable(t, name, err)
		if d := time.Since(start); d > time.Second {
			t.Errorf("%s: gave up after %s, the deadline was 50ms", name, d)
		}
	}
	for _, server := range servers {
		server.Resume()
	}
	testkit.Eventually(t, "the servers answer", func() bool { return used.Ping(t.Context()) == nil })
}

func TestWrongFormOfServer(t *testing.T) {
	t.Parallel()
	single, cluster := redistest.Start(t), redistest.StartCluster(t)
	for url, hint := range map[string]string{
		cluster.Nodes[0].URL(): "redis+cluster://",
		strings.Replace(single.URL(), "redis:", "redis+cluster:", 1): "not part of a Redis Cluster",
	} {
		s := open(t, url, redisstore.Config{})
		_, err := s.Fence(t.Context(), fences(ids(20)...))
		for what, err := range map[string]error{"ping": s.Ping(t.Context()), "fence": err} {
			wantUnavailable(t, what, err)
			if err != nil && !strings.Contains(err.Error(), hint) {
				t.Errorf("%s: got %q, want a hint at %s", what, err, hint)
			}
		}
	}
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	if err := server.Client().ConfigSet(t.Context(), "requirepass", "right").Err(); err != nil {
		t.Fatal(err)
	}
	for _, login := range []string{"", ":geheim@"} {
		s := open(t, strings.Replace(server.URL(), "//", "//"+login, 1), redisstore.Config{})
		err := s.Ping(t.Context())
		wantUnavailable(t, "ping", err)
		if err != nil && strings.Contains(err.Error(), "geheim") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
	s := open(t, strings.Replace(server.URL(), "//", "//:right@", 1), redisstore.Config{})
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}
