package server_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/logoutd/logoutd/internal/server"
)

// patience is how long a busy machine may take.
const patience = 20 * time.Second

// start serves h until the end of the test.
func start(t *testing.T, h http.Handler) (addr string) {
	t.Helper()
	return serve(t, server.New(h, nil))
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

// TestHandlerPanics: it is answered and logged, without the request.
func TestHandlerPanics(t *testing.T) {
	t.Parallel()
	var logs strings.Builder
	s := server.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Half", "done")
		_, _ = io.WriteString(w, "half an answer")
		panic("at the " + r.Method)
	}), slog.New(slog.NewTextHandler(&logs, nil)))
	c := dial(t, serve(t, s))
	c.send("POST /tok-path HTTP/1.1\r\nHost: a\r\nCookie: a=tok-cookie\r\n\r\n")
	response, body := c.answer(http.MethodPost)
	if response.StatusCode != http.StatusInternalServerError || body != "The server failed to answer.\n" || response.Header.Get("X-Half") != "" {
		t.Errorf("answer %v %q", response, body)
	}
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
	s := server.New(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	}), slog.New(slog.NewTextHandler(&logs, nil)))
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

type tooManyFiles struct{ error }

func (tooManyFiles) Temporary() bool { return true }

func (l *shortOfFiles) Accept() (net.Conn, error) {
	if l.times--; l.times >= 0 {
		return nil, tooManyFiles{errors.New("too many open files")}
	}
	return l.Listener.Accept()
}

func TestServesOnAfterTooManyFiles(t *testing.T) {
	t.Parallel()
	l := listen(t)
	s := server.New(nothing, nil)
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
	if err := server.New(nothing, nil).Serve(l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve returns %v", err)
	}
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	s := server.New(nothing, nil)
	s.SetTimeouts(100*time.Millisecond, 100*time.Millisecond)
	addr := serve(t, s)

	idle := dial(t, addr)
	idle.send(logout)
	idle.expect(http.StatusNoContent)
	idle.expectEnd()

	slow := dial(t, addr)
	slow.send(logout[:len(logout)-2])
	slow.expect(http.StatusRequestTimeout)
	slow.expectEnd()
}
