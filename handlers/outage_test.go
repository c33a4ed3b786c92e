package handlers_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"golang.org/x/sync/errgroup"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/handlers"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

const kratosLogout = "DELETE /self-service/logout/api HTTP/1.1\r\nHost: logout.example\r\n" +
	"Content-Type: application/json\r\nContent-Length: 29\r\n\r\n" + `{"session_token":"tok-alice"}`

// TestBrokerStops stops the broker under a listener.
func TestBrokerStops(t *testing.T) {
	t.Parallel()
	server := eventstest.Start(t)
	w := newWorld(t, server, worldSettings{"session tok-alice user=alice"})
	if answer := send(t, w.addr, kratosLogout); !strings.HasPrefix(answer, "HTTP/1.1 204 ") {
		t.Fatalf("before: %s", answer)
	}
	server.Stop()
	if answer := send(t, w.addr, kratosLogout); !strings.HasPrefix(answer, "HTTP/1.1 503 ") || !strings.Contains(answer, "\nRetry-After: ") {
		t.Errorf("after: %s", answer)
	}
}

// TestClientHangsUp: a logout that is fenced has to be published, also where
// nobody waits for the answer any more: net/http ends the request's context
// then.
func TestClientHangsUp(t *testing.T) {
	t.Parallel()
	fenced, gone, published := make(chan struct{}), make(chan struct{}), make(chan messages.Request, 1)
	sessions := openStore(t)
	put(t, sessions, store.Session{ID: store.TokenID("tok-alice"), ExpiresAt: time.Now().Add(time.Hour)})
	h := handlers.New(handlers.Config{
		FenceTimeout: longEnough,
		Store: storeFunc(func(ctx context.Context, fences []store.Fence) ([]store.Fenced, error) {
			results, err := sessions.Fence(ctx, fences)
			close(fenced)
			<-gone
			return results, err
		}),
		Publisher: publisherFunc(func(ctx context.Context, requests ...messages.Request) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			published <- requests[0]
			return nil
		}),
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		context.AfterFunc(r.Context(), func() { close(gone) })
		h.ServeHTTP(w, r)
	}))
	defer server.Close()

	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, kratosLogout); err != nil {
		t.Fatal(err)
	}
	<-fenced
	conn.Close()
	select {
	case r := <-published:
		if r.SessionID != store.TokenID("tok-alice") || !r.Fenced {
			t.Errorf("published %+v", r)
		}
	case <-time.After(longEnough):
		t.Error("nothing is published")
	}
}

// TestFiftyAtOnce: all callers get 204, and all their requests are one.
func TestFiftyAtOnce(t *testing.T) {
	t.Parallel()
	const callers = 50
	w := newWorld(t, eventstest.Start(t), worldSettings{"session tok-alice user=alice"})
	var group errgroup.Group
	answers := make([]string, callers)
	for i := range callers {
		group.Go(func() (err error) {
			answers[i], err = statusLine(w.addr, kratosLogout)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, answer := range answers {
		if answer != "HTTP/1.1 204 No Content\r\n" {
			t.Fatalf("answer %q", answer)
		}
	}
	ids := map[string]int{}
	for _, r := range w.published(t) {
		ids[r.ID]++
	}
	if id := messages.RequestID("session", store.TokenID("tok-alice")); len(ids) != 1 || ids[id] != callers {
		t.Errorf("published %v, want %d times %s", ids, callers, id)
	}
}

func statusLine(addr, request string) (string, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		return "", err
	}
	return bufio.NewReader(conn).ReadString('\n')
}

// TestOutageIsLoggedOnce: an outage fails every request, and must not fill the
// logs as well. The transcripts look for credentials in them.
func TestOutageIsLoggedOnce(t *testing.T) {
	t.Parallel()
	var logs bytes.Buffer
	h := handlers.New(handlers.Config{
		Store: storeDown, Publisher: brokerDown,
		Logger: slog.New(slog.NewTextHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	for range 10 {
		h.ServeHTTP(httptest.NewRecorder(), logoutRequest("tok-alice"))
	}
	for _, message := range []string{"fence skipped", "logout not published"} {
		if n := strings.Count(logs.String(), message); n != 1 {
			t.Errorf("%q is logged %d times, want once:\n%s", message, n, &logs)
		}
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	serve(handlers.Config{Store: storeDown, Registerer: registry}, logoutRequest("tok-alice"))
	for name, series := range map[string]int{
		"logoutd_logout_requests_total": 4 * 8, "logoutd_fence_total": 5, "logoutd_accept_seconds": 4,
	} {
		if n, err := testutil.GatherAndCount(registry, name); n != series || err != nil {
			t.Errorf("%s has %d series, want %d from the start (%v)", name, n, series, err)
		}
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var observed uint64
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			observed += metric.GetHistogram().GetSampleCount()
		}
	}
	if observed != 1 {
		t.Errorf("%d latencies observed, want 1", observed)
	}
}
