package server_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/logoutd/logoutd/internal/server"
)

// TestShutdown answers what is in flight, ends what idles, accepts no more.
func TestShutdown(t *testing.T) {
	t.Parallel()
	l, served, asked, answer := listen(t), make(chan error, 1), make(chan struct{}), make(chan struct{})
	s := server.New(server.Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(asked)
			<-answer
		}
		w.WriteHeader(http.StatusNoContent)
	})})
	go func() { served <- s.Serve(l) }()
	idle, inFlight := dial(t, l.Addr().String()), dial(t, l.Addr().String())
	idle.send(logout)
	idle.expect(http.StatusNoContent)
	inFlight.send("POST /slow HTTP/1.1\r\nHost: a\r\n\r\n")
	<-asked

	stopped := make(chan struct{})
	go func() { shutDown(t, s); close(stopped) }()
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve returns %v", err)
	}
	idle.expectEnd()
	if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("a new connection is accepted")
	}
	select {
	case <-stopped:
		t.Error("Shutdown does not wait for what is in flight")
	default:
	}
	close(answer)
	response, _ := inFlight.answer(http.MethodPost)
	if response.StatusCode != http.StatusNoContent || !response.Close {
		t.Errorf("answer %v, want 204 and Connection: close", response)
	}
	inFlight.expectEnd()
	<-stopped
}

// TestShutdownEndsWithItsContext, whatever hangs.
func TestShutdownEndsWithItsContext(t *testing.T) {
	t.Parallel()
	l, asked, answer := listen(t), make(chan struct{}), make(chan struct{})
	s := server.New(server.Config{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-answer
	})})
	go func() { _ = s.Serve(l) }()
	c := dial(t, l.Addr().String())
	c.send(logout)
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown returns %v", err)
	}
	close(answer)
	c.expect(http.StatusOK)
	shutDown(t, s)
}

// TestShutdownBeforeServe: a process may be stopped while it starts.
func TestShutdownBeforeServe(t *testing.T) {
	t.Parallel()
	s, l := server.New(server.Config{Handler: nothing}), listen(t)
	shutDown(t, s)
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve returns %v", err)
	}
	if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("the listener is open")
	}
}

// TestShutdownWhileServing starts: one of both goes first, and it ends.
func TestShutdownWhileServing(t *testing.T) {
	t.Parallel()
	for range 100 {
		s, l, served := server.New(server.Config{Handler: nothing}), listen(t), make(chan error, 1)
		go func() { served <- s.Serve(l) }()
		shutDown(t, s)
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Fatalf("Serve returns %v", err)
		}
	}
}

// TestRequestsDuringShutdown: each is answered, or its connection ends before
// the first byte of an answer.
func TestRequestsDuringShutdown(t *testing.T) {
	t.Parallel()
	const clients = 20
	l, s := listen(t), server.New(server.Config{Handler: nothing})
	go func() { _ = s.Serve(l) }()
	going, ended := make(chan struct{}, clients), make(chan string, clients)
	for range clients {
		c := dial(t, l.Addr().String())
		go func() { ended <- c.repeat(going) }()
	}
	for range clients {
		<-going
	}
	shutDown(t, s)
	for range clients {
		if half := <-ended; half != "" {
			t.Errorf("half an answer: %q", half)
		}
	}
}

// repeat asks until the connection ends, and returns what it got of the last
// answer.
func (c client) repeat(going chan<- struct{}) (half string) {
	for first := true; ; first = false {
		if _, err := c.Conn.Write([]byte(logout)); err != nil {
			return ""
		}
		for line := ""; line != "\r\n"; {
			var err error
			if line, err = c.ReadString('\n'); err != nil {
				return half + line
			}
			half += line
		}
		half = ""
		if first {
			going <- struct{}{}
		}
	}
}

// TestNothingRunsOn: goroutines end with the server. They have the labels of
// what starts them.
func TestNothingRunsOn(t *testing.T) {
	t.Parallel()
	pprof.Do(t.Context(), pprof.Labels("server", t.Name()), func(context.Context) {
		s, l := server.New(server.Config{Handler: nothing}), listen(t)
		go func() { _ = s.Serve(l) }()
		for range 10 {
			c := dial(t, l.Addr().String())
			c.send(logout)
			c.expect(http.StatusNoContent)
		}
		shutDown(t, s)
	})
	again, end := time.NewTicker(20*time.Millisecond), time.After(patience)
	defer again.Stop()
	for left := labelled(t, t.Name()); left != ""; left = labelled(t, t.Name()) {
		select {
		case <-again.C:
		case <-end:
			t.Fatal(left)
		}
	}
}

// labelled returns the goroutines that have a label.
func labelled(t *testing.T, label string) (left string) {
	t.Helper()
	var all strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
		t.Fatal(err)
	}
	for goroutine := range strings.SplitSeq(all.String(), "\n\n") {
		if strings.Contains(goroutine, label+`"`) {
			left += goroutine + "\n"
		}
	}
	return left
}
