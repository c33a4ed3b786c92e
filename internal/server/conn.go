package server

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

// lingering is how long a client that is still sending may take to read its
// answer.
const lingering = 500 * time.Millisecond

// conn is a client's connection.
type conn struct {
	net.Conn
	client string // its address, as http.Request has it
	ended  bool   // the client sends no more
	// sending: the client was answered before it had sent all.
	sending atomic.Bool
}

// Read notes that the client's side has ended: fasthttp takes that for the end
// of a body, too.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.ended = c.ended || err == io.EOF
	return n, err
}

// Close closes the connection. Where the client is still sending it waits for
// that a little: with bytes unread the connection would be reset, and the
// answer lost on its way (RFC 9112, section 9.6).
func (c *conn) Close() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.sending.Swap(false) {
		if half.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(lingering)) == nil {
			_, _ = io.Copy(io.Discard, c.Conn)
		}
	}
	return c.Conn.Close()
}
