package server_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/logoutd/logoutd/internal/server"
)

// patience is how long a busy machine may take.
const patience = 20 * time.Second

// start serves h until the end of the test.
func start(t *testing.T, h http.Handler) (addr string) {
	t.Helper()
	return serve(t, server.New(server.Config{Handler: h}))
}

func serve(t *testing.T, s *server.Server) (addr string) {
	t.Helper()
	l := listen(t)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		shutDown(t, s)
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve returns %v", err)
		}
	})
	return l.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func shutDown(t *testing.T, s *server.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown returns %v", err)
	}
}

// client is a connection that speaks in raw bytes.
type client struct {
	net.Conn
	*bufio.Reader
	t *testing.T
}

func dial(t *testing.T, addr string) client {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return newClient(t, conn)
}

func newClient(t *testing.T, conn net.Conn) client {
	_ = conn.SetDeadline(time.Now().Add(patience))
	return client{conn, bufio.NewReader(conn), t}
}

// Read is that of the buffer.
func (c client) Read(p []byte) (int, error) { return c.Reader.Read(p) }

func (c client) send(raw string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, raw); err != nil {
		c.t.Fatal(err)
	}
}

// answer returns the next answer, with its body read.
func (c client) answer(method string) (*http.Response, string) {
	c.t.Helper()
	response, err := http.ReadResponse(c.Reader, &http.Request{Method: method})
	if err != nil {
		c.t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return response, string(body)
}

// expect fails unless the next answer has that status.
func (c client) expect(status int) {
	c.t.Helper()
	if response, body := c.answer(http.MethodPost); response.StatusCode != status {
		c.t.Fatalf("answer %d %q, want %d", response.StatusCode, body, status)
	}
}

// expectEnd fails unless the server closes the connection cleanly.
func (c client) expectEnd() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.Reader); err != nil || len(rest) > 0 {
		c.t.Errorf("after the answer come %q and %v, want an end", rest, err)
	}
}

// TestHandlerPanics: the connection is closed, and the cause is logged without
// the request.
func TestHandlerPanics(t *testing.T) {
	t.Parallel()
	var logs strings.Builder
	s := server.New(server.Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "half an answer")
		panic("at the " + r.Method)
	}), Logger: slog.New(slog.NewTextHandler(&logs, nil))})
	c := dial(t, serve(t, s))
	c.send("POST /tok-path HTTP/1.1\r\nHost: a\r\nCookie: a=tok-cookie\r\n\r\n")
	c.expectEnd()
	shutDown(t, s)
	if text := logs.String(); !strings.Contains(text, "at the POST") || !strings.Contains(text, "TestHandlerPanics") || strings.Contains(text, "tok-") {
		t.Errorf("logged: %s", text)
	}
}

// TestHandlerAborts with http.ErrAbortHandler: no answer, no log.
func TestHandlerAborts(t *testing.T) {
	t.Parallel()
	var logs strings.Builder
	s := server.New(server.Config{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	}), Logger: slog.New(slog.NewTextHandler(&logs, nil))})
	c := dial(t, serve(t, s))
	c.send("POST / HTTP/1.1\r\nHost: a\r\n\r\n")
	c.expectEnd()
	shutDown(t, s)
	if logs.Len() > 0 {
		t.Errorf("logged: %s", &logs)
	}
}

// shortOfFiles is a listener of a process that has too many files open.
type shortOfFiles struct {
	net.Listener
	times int
}

func (l *shortOfFiles) Accept() (net.Conn, error) {
	if l.times--; l.times >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

func TestServesOnAfterTooManyFiles(t *testing.T) {
	t.Parallel()
	l := listen(t)
	s := server.New(server.Config{Handler: nothing})
	go func() { _ = s.Serve(&shortOfFiles{l, 3}) }()
	c := dial(t, l.Addr().String())
	c.send(logout)
	c.expect(http.StatusNoContent)
	shutDown(t, s)
}

// TestListenerFails: whoever serves gets to know.
func TestListenerFails(t *testing.T) {
	t.Parallel()
	l := listen(t)
	_ = l.Close()
	if err := server.New(server.Config{Handler: nothing}).Serve(l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve returns %v", err)
	}
}

// TestTimeouts: a client that is slow to send, or to take its answer, is
// disconnected; what the handler does after the body may take longer.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	read := make(chan error, 1)
	s := server.New(server.Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/slow-body":
			read <- err
		case "/long-answer":
			for err == nil {
				_, err = w.Write(make([]byte, 1<<20))
			}
			read <- err
		case "/long-work":
			select {
			case <-r.Context().Done():
				w.WriteHeader(http.StatusInternalServerError)
			case <-time.After(300 * time.Millisecond):
			}
		}
	})})
	s.SetTimeouts(100 * time.Millisecond)
	addr := serve(t, s)

	idle := dial(t, addr)
	idle.send(logout)
	idle.expect(http.StatusOK)
	idle.expectEnd()

	slow := dial(t, addr)
	slow.send(logout[:len(logout)-2])
	slow.expectEnd()

	for _, request := range []string{
		"POST /slow-body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na", "GET /long-answer HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		dial(t, addr).send(request)
		select {
		case err := <-read:
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%q: %v", request, err)
			}
		case <-time.After(patience):
			t.Errorf("%q: the handler waits", request)
		}
	}

	work := dial(t, addr)
	work.send("POST /long-work HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na")
	work.expect(http.StatusOK)
}

// gather returns the metrics in text.
func gather(t *testing.T, registry *prometheus.Registry) string {
	t.Helper()
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	return w.Body.String()
}
