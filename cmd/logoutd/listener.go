package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/logoutd/logoutd/internal/server"
)

// listener is an address that serves HTTP.
type listener struct {
	socket net.Listener
	config server.Config // without the handler until there is one
}

func (s *service) listen(name, setting, address string, files server.TLSFiles, most int) (*listener, error) {
	config, err := server.LoadTLS(files, name, s.logger, s.metrics)
	if err != nil {
		return nil, fmt.Errorf("%s listener: %w", name, err)
	}
	socket, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s listener: %w; %s says where", name, err, setting)
	}
	l := &listener{socket: socket, config: server.Config{
		Name: name, TLS: config, MaxConnections: most, Exempt: s.settings.proxies().Trusts,
		Logger: s.logger, Registerer: s.metrics,
	}}
	s.closers = append(s.closers, l.abandon)
	return l, nil
}

// reservedDescriptors are kept for store, broker, its subscribers and push
// providers: without load a process has about 40 open, a target of pushes 32
// more.
const reservedDescriptors = 128

// maxConnections returns how many connections the listeners have at most: a
// quarter of the descriptors is reserved, and a quarter of the rest is for the
// admin listener, so that health checks and operators get through whatever
// comes to the other one. Zero: no limit.
func maxConnections(descriptors int) (public, admin int) {
	if descriptors == 0 {
		return 0, 0
	}
	rest := descriptors - max(reservedDescriptors, descriptors/4)
	admin = max(8, rest/4)
	return max(8, rest-admin), admin
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
	scheme := "http://"
	if l.config.TLS != nil {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, fmt.Sprint(address.Port))
}

// serve answers until ctx ends, then waits for what is in flight.
func (l *listener) serve(ctx context.Context) error {
	stopped, answering := make(chan struct{}), server.New(l.config)
	context.AfterFunc(ctx, func() {
		defer close(stopped)
		shutdownCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		_ = answering.Shutdown(shutdownCtx)
	})
	if err := answering.Serve(l.socket); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("%s listener: %w", l.config.Name, err)
	}
	<-stopped
	return nil
}
