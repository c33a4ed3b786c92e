package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"time"
)

// dialTimeout is how long a connection may take to come about.
const dialTimeout = 5 * time.Second

// target is a listener and the request that it is sent. Only the token in it
// changes, and all tokens are of one length, so that a request is made by
// writing a number into bytes that are there already.
type target struct {
	address string
	tls     bool
	request []byte
	digits  int // where the number of the token stands in request
	good    int // the status of a good answer
}

// newTarget returns the logout of a dialect at a public listener, with the
// tokens of users.
func newTarget(rawURL string, d dialect, tokens tokenSeries) (*target, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("public URL %q: it should look like http://127.0.0.1:8080", rawURL)
	}
	t := &target{address: u.Host, tls: u.Scheme == "https", good: d.good}
	t.request, t.digits = d.request(u, tokens)
	if u.Port() == "" {
		t.address = net.JoinHostPort(u.Hostname(), u.Scheme)
	}
	return t, nil
}

// connection is a lean HTTP/1.1 client: on a machine that it shares with the
// server, what it costs is taken from the server. It is for one goroutine.
type connection struct {
	target   *target
	deadline time.Time // the end of everything
	conn     net.Conn
	unwatch  func() bool
	in       *bufio.Reader
	request  []byte
}

func newConnection(t *target, deadline time.Time) *connection {
	return &connection{
		target: t, deadline: deadline,
		in: bufio.NewReader(nil), request: append([]byte(nil), t.request...),
	}
}

// dial connects. What is under way on the connection ends with ctx.
func (c *connection) dial(ctx context.Context) error {
	dialCtx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var dialer interface {
		DialContext(context.Context, string, string) (net.Conn, error)
	} = &net.Dialer{}
	if c.target.tls {
		dialer = &tls.Dialer{}
	}
	conn, err := dialer.DialContext(dialCtx, "tcp", c.target.address)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	c.conn = conn
	c.in.Reset(conn)
	err = conn.SetDeadline(c.deadline)
	c.unwatch = context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	return err
}

// exchange sends the request with token n and reads the answer. Where there
// is none, the connection is closed.
func (c *connection) exchange(n int) (status int, err error) {
	putNumber(c.request[c.target.digits:], n)
	if _, err := c.conn.Write(c.request); err != nil {
		c.close()
		return 0, err
	}
	a, err := readAnswer(c.in)
	if err != nil || a.last {
		c.close()
	}
	return a.status, err
}

func (c *connection) open() bool { return c.conn != nil }

func (c *connection) close() {
	if c.conn != nil {
		c.unwatch()
		_ = c.conn.Close()
		c.conn = nil
	}
}
