package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/logoutd/logoutd/internal/server"
)

// listener serves HTTP on one address.
type listener struct {
	socket net.Listener
	config server.Config // handle sets the handler
}

func (s *service) listen(name, setting, address string, files server.TLSFiles, most int) (*listener, error) {
	config, err := server.LoadTLS(files, name, s.logger, s.metrics)
	if err != nil {
		return nil, fmt.Errorf("%s listener: %w", name, err)
	}
	socket, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s listener: %w; set %s to another address", name, err, setting)
	}
	l := &listener{socket: socket, config: server.Config{
		Name: name, TLS: config, MaxConnections: most, Exempt: s.settings.proxies().Trusts,
		Logger: s.logger, Registerer: s.metrics,
	}}
	s.closers = append(s.closers, l.abandon)
	return l, nil
}

// reservedDescriptors are reserved for the store, the broker, its subscribers
// and push providers: an idle process has about 40 open, and a push target opens
// 32 more.
const reservedDescriptors = 128

// maxConnections returns the maximum number of connections of each listener. A
// quarter of the descriptors is reserved. A quarter of the rest is for the admin
// listener, so that health checks and operators get through whatever the load of
// the public listener. Zero means no limit.
func maxConnections(descriptors int) (public, admin int) {
	if descriptors == 0 {
		return 0, 0
	}
	rest := descriptors - max(reservedDescriptors, descriptors/4)
	admin = max(8, rest/4)
	return max(8, rest-admin), admin
}

// abandon closes a listener that never served. After serve it does nothing.
func (l *listener) abandon() { _ = l.socket.Close() }

// url returns a URL of the listener that works on this machine.
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

// serve answers until ctx ends, then waits for the requests in flight.
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
