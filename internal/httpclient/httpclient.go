package httpclient

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/logoutd/logoutd/internal/version"
)

// maxHeader is how long the header of an answer can be, in bytes: far more than
// any provider sends, and 2 MiB for the 32 calls that a target makes at a time.
// Go's own limit is 10 MiB.
const maxHeader = 64 << 10

// ErrTooLarge is wrapped by the error of reading a body beyond its limit.
var ErrTooLarge = errors.New("the answer is too large")

// Config bounds the calls of a client.
type Config struct {
	// Timeout bounds a call, the reading of its answer included. Default:
	// none; then the context of each request has to bound it.
	Timeout time.Duration
	// MaxBody is how much of an answer can be read, in bytes. Default: no
	// limit, for what is streamed.
	MaxBody int64
	// Connections is how many idle connections to a host are kept. Default 32.
	Connections int
	// TLS is for hosts whose certificate an authority of one's own has issued, or
	// that demand a client certificate. Default: Go's.
	TLS *tls.Config
}

// New returns a client.
func New(c Config) *http.Client {
	if c.Connections == 0 {
		c.Connections = 32
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = maxHeader
	transport.MaxIdleConnsPerHost = c.Connections
	transport.TLSClientConfig = c.TLS
	transport.DisableCompression = true // a small answer could become a large one
	return &http.Client{
		Timeout: c.Timeout, Transport: bounded{transport, c.MaxBody},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bounded is a transport that says who calls, and bounds the body of an answer.
type bounded struct {
	*http.Transport
	maxBody int64
}

// RoundTrip implements [http.RoundTripper].
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("User-Agent") == "" {
		r = r.Clone(r.Context()) // the caller's must stay as it is
		r.Header.Set("User-Agent", version.UserAgent())
	}
	response, err := b.Transport.RoundTrip(r)
	if err == nil && b.maxBody > 0 {
		response.Body = &boundedBody{response.Body, b.maxBody, b.maxBody}
	}
	return response, err
}

// boundedBody fails where a body goes on beyond its limit.
type boundedBody struct {
	io.ReadCloser
	left, limit int64
}

// Read implements [io.Reader].
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		// Only the end may come.
		if n, err := b.ReadCloser.Read(make([]byte, 1)); n == 0 {
			return 0, err
		}
		return 0, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, b.limit)
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
