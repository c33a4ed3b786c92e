package server

import (
	"container/list"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// writePiece is how many bytes a client has to take within writeTimeout.
	writePiece = 64 << 10
	// lingering is how long a client that is still sending may take to read that
	// it was refused.
	lingering = 500 * time.Millisecond
)

// errAmbiguous makes net/http answer 400 and close the connection.
var errAmbiguous = errors.New("server: ambiguous request")

// conn is a client's connection as net/http sees it: decrypted, and without
// ambiguous requests.
type conn struct {
	net.Conn
	raw     net.Conn
	server  *Server
	framing framing
	broken  error // what every Read returns from now on
	// handling: a handler runs. sent: the client has sent what no handler has
	// seen. refusing: net/http has answered that.
	handling, sent, refusing atomic.Bool
	closing                  sync.Once

	// tls is nil without TLS. net/http must not see it: it would take HTTP/1
	// from it without the check of its framing.
	tls   *tls.Conn
	state *tls.ConnectionState // after the handshake

	// Guarded by the pool.
	peer             *peer
	idle, idleOfPeer *list.Element // nil while a handler runs
	removed          bool
}

func newConn(raw net.Conn, s *Server) *conn {
	c := &conn{Conn: raw, raw: raw, server: s}
	if s.tls != nil {
		c.tls = tls.Server(raw, s.tls)
		c.Conn = c.tls
	}
	return c
}

// Read reads what is unambiguous, after the TLS handshake.
func (c *conn) Read(p []byte) (int, error) {
	if c.tls != nil && c.state == nil && c.broken == nil {
		c.broken = c.handshake()
	}
	if c.broken != nil {
		return 0, c.broken
	}
	n, err := c.Conn.Read(p)
	clean := c.framing.scan(p[:n])
	c.sent.Store(n > 0 && c.framing.next != opaque && !c.handling.Load())
	if clean == n {
		return n, err
	}
	c.broken = errAmbiguous
	if clean == 0 {
		return 0, errAmbiguous
	}
	return clean, nil
}

// handshake runs under the read deadline of the header.
func (c *conn) handshake() error {
	_ = c.raw.SetWriteDeadline(time.Now().Add(c.server.writeTimeout))
	if err := c.tls.Handshake(); err != nil {
		if !errors.Is(err, io.EOF) { // a probe that only connects
			c.server.pool.metrics.handshakeFailures.Inc()
		}
		var record tls.RecordHeaderError
		if errors.As(err, &record) && record.Conn != nil && record.RecordHeader[0] >= 'A' { // a method
			_, _ = io.WriteString(record.Conn, "HTTP/1.0 400 Bad Request\r\n\r\nThis port expects HTTPS.\n")
		}
		return io.EOF // nobody can be answered
	}
	state := c.tls.ConnectionState()
	c.state = &state
	return nil
}

// Write writes in pieces, each of which the client has to take in time.
func (c *conn) Write(p []byte) (written int, err error) {
	if c.sent.Load() {
		c.refusing.Store(true)
	}
	for written < len(p) && err == nil {
		if err = c.Conn.SetWriteDeadline(time.Now().Add(c.server.writeTimeout)); err != nil {
			break
		}
		var n int
		n, err = c.Conn.Write(p[written:min(len(p), written+writePiece)])
		written += n
	}
	return written, err
}

// CloseWrite lets net/http tell a client that still sends that it was refused.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Close closes the connection and makes room for another one. A client that
// was refused while it sends gets a little time: with bytes unread the connection
// would be reset, and the answer lost (RFC 9112, section 9.6).
func (c *conn) Close() (err error) {
	c.closing.Do(func() {
		if c.refusing.Load() && c.CloseWrite() == nil {
			defer time.AfterFunc(lingering, func() { _ = c.raw.Close() }).Stop()
			_, _ = io.Copy(io.Discard, c.raw)
		}
		c.server.pool.remove(c)
		err = c.Conn.Close()
	})
	return err
}
