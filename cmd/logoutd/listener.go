package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/logoutd/logoutd/internal/server"
)

// listener is an address that serves HTTP.
type listener struct {
	name      string
	socket    net.Listener
	handler   http.Handler
	newServer func(http.Handler) httpServer
}

// httpServer is what answers on a listener.
type httpServer interface {
	Serve(net.Listener) error // http.ErrServerClosed after Shutdown
	Shutdown(context.Context) error
}

// publicServer bears the load of the logouts.
func (s *service) publicServer(h http.Handler) httpServer { return server.New(h, s.logger) }

// adminServer sends while its handler still writes, which a tail of events
// needs.
func adminServer(h http.Handler) httpServer {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}

func listen(name, setting, address string, newServer func(http.Handler) httpServer) (*listener, error) {
	socket, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; %s says where", name, err, setting)
	}
	return &listener{name: name, socket: socket, newServer: newServer}, nil
}

// abandon closes a listener that never served; after serve it does nothing.
func (l *listener) abandon() { _ = l.socket.Close() }

// url returns how the listener is reached from this machine.
func (l *listener) url() string {
	address := l.socket.Addr().(*net.TCPAddr)
	host := address.IP.String()
	if address.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, fmt.Sprint(address.Port))
}

// serve answers until ctx ends, then waits for what is in flight.
func (l *listener) serve(ctx context.Context) error {
	stopped, answering := make(chan struct{}), l.newServer(l.handler)
	context.AfterFunc(ctx, func() {
		defer close(stopped)
		shutdownCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		_ = answering.Shutdown(shutdownCtx)
	})
	if err := answering.Serve(l.socket); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("%s: %w", l.name, err)
	}
	<-stopped
	return nil
}
