package server

import (
	"io"
	"net/http"
)

// maxLeftover is how much a handler may leave of a body for the connection to
// go on, in bytes: as much as with net/http.
const maxLeftover = 256 << 10

// body is the body of a request, which comes from the connection while the
// handler runs. Its zero value is that of a request without one.
type body struct {
	conn   *conn
	stream io.Reader
	left   int64 // what Content-Length still promises; negative where it is chunked
	err    error // how it ended
	closed bool
}

// Read reads from the connection. Where that ends before the body does, the
// error is io.ErrUnexpectedEOF.
func (b *body) Read(p []byte) (int, error) {
	switch {
	case b.closed:
		return 0, http.ErrBodyReadAfterClose
	case b.err != nil:
		return 0, b.err
	}
	n, err := b.stream.Read(p)
	if b.left > 0 {
		b.left -= int64(n)
	}
	if err == io.EOF && b.left != 0 && b.conn.ended {
		err = io.ErrUnexpectedEOF
	}
	b.err = err
	return n, err
}

// Close says that the handler reads no more.
func (b *body) Close() error {
	b.closed = true
	return nil
}

// skip reads what the handler left of the body, unless that is too much.
func (b *body) skip() {
	if b.complete() || b.left > maxLeftover {
		return
	}
	b.closed = false
	_, _ = io.CopyN(io.Discard, b, maxLeftover+1)
}

// complete reports whether all of the body was read.
func (b *body) complete() bool { return b.stream == nil || b.left == 0 || b.err == io.EOF }
