package server

import (
	"log/slog"
	"net"
	"sync"
	"time"
)

// maxAcceptDelay is the longest pause after a connection that could not be
// accepted.
const maxAcceptDelay = time.Second

// listener hands out connections as [conn]. Where there are no more file
// descriptors it waits, as net/http does; fasthttp would stop serving.
type listener struct {
	net.Listener
	log    *slog.Logger
	closed chan struct{}
	close  func() error
}

func newListener(l net.Listener, log *slog.Logger) *listener {
	closed := make(chan struct{})
	return &listener{Listener: l, log: log, closed: closed, close: sync.OnceValue(func() error {
		close(closed)
		return l.Close()
	})}
}

// Accept returns the next connection.
func (l *listener) Accept() (net.Conn, error) {
	delay := 5 * time.Millisecond
	for {
		c, err := l.Listener.Accept()
		if err == nil {
			return &conn{Conn: c, client: c.RemoteAddr().String()}, nil
		}
		if passing, ok := err.(interface{ Temporary() bool }); !ok || !passing.Temporary() {
			return nil, err
		}
		l.log.Warn("connection not accepted", "err", err)
		select {
		case <-time.After(delay):
			delay = min(2*delay, maxAcceptDelay)
		case <-l.closed:
		}
	}
}

// Close may be called more than once.
func (l *listener) Close() error { return l.close() }
