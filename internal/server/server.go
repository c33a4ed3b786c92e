package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	headerTimeout = 5 * time.Second
	idleTimeout   = 2 * time.Minute
	writeTimeout  = 20 * time.Second // for writePiece bytes

	// A body has bodyTimeout and a second for each bodyRate bytes of it, but no
	// more than maxBodyTimeout: enough for a list of users over a slow line.
	bodyTimeout    = 5 * time.Second
	bodyRate       = 64 << 10
	maxBodyTimeout = time.Minute

	// answerTimeout ends a stream of HTTP/2 whose client does not let it go on;
	// the longest answer, a dry run of the console, takes 5 minutes.
	// On HTTP/1 the write deadlines of [conn] take its place.
	answerTimeout = 10 * time.Minute

	// maxHeader is how long a request line and header net/http accepts, in
	// bytes, give or take 4 KiB. It is more than the public handler's limit, which
	// is refused in the shape of its dialect.
	maxHeader = 64 << 10
)

// Config is what a server is made of.
type Config struct {
	Handler http.Handler // required
	// Name is the listener's, in metrics.
	Name string
	// TLS is how the listener speaks TLS; see [LoadTLS]. Nil: it does not.
	TLS *tls.Config
	// MaxConnections is how many connections are open at most. Zero: no limit.
	MaxConnections int
	// Exempt reports whether an address may have more than half of them. Nil: none may.
	Exempt func(netip.Addr) bool
	// Logger gets panics of the handler and connections that cannot be
	// accepted, and nothing of a request. Nil: nothing is logged.
	Logger *slog.Logger
	// Registerer is where the metrics go. Nil: nowhere.
	Registerer prometheus.Registerer
}

// Server serves one listener. Create one with [New].
type Server struct {
	handler http.Handler
	log     *slog.Logger
	tls     *tls.Config
	pool    *pool
	http    http.Server

	bodyTimeout, writeTimeout time.Duration
}

// New returns a server.
func New(c Config) *Server {
	if c.Exempt == nil {
		c.Exempt = func(netip.Addr) bool { return false }
	}
	s := &Server{
		handler: c.Handler, log: cmp.Or(c.Logger, slog.New(slog.DiscardHandler)), tls: c.TLS,
		bodyTimeout: bodyTimeout, writeTimeout: writeTimeout,
	}
	s.pool = &pool{most: c.MaxConnections, exempt: c.Exempt, peers: map[netip.Addr]*peer{}}
	s.pool.metrics = newMetrics(c.Registerer, c.Name, s.pool)
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true) // conn decrypts
	s.http = http.Server{
		Handler: http.HandlerFunc(s.serve), DisableGeneralOptionsHandler: true,
		Protocols:         protocols,
		ReadHeaderTimeout: headerTimeout, WriteTimeout: answerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog:    slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		ConnState:   s.pool.observe,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
	}
	s.http.RegisterOnShutdown(s.pool.close)
	return s
}

type connKey struct{}

// Serve accepts connections on l until [Server.Shutdown], after which it
// returns [http.ErrServerClosed], or until l fails. A server serves once.
func (s *Server) Serve(l net.Listener) error { return s.http.Serve(&listener{l, s}) }

// Shutdown accepts no more connections, closes idle ones, and returns once
// what is in flight is answered, or with the error of ctx when that ends
// before.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.Shutdown(ctx) }

// listener hands out the connections that there is room for.
type listener struct {
	net.Listener
	server *Server
}

// Accept returns the next connection.
func (l *listener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := newConn(raw, l.server)
		if l.server.pool.admit(c) {
			return c, nil
		}
		_ = raw.Close()
	}
}

// serve answers one request.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	defer s.logPanic()
	c := r.Context().Value(connKey{}).(*conn)
	c.handling.Store(true)
	c.sent.Store(false)
	r.TLS = c.state
	if r.Method == "PRI" { // net/http hands out a preface of HTTP/2 that is none
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusBadRequest)
		c.refusing.Store(true)
		return
	}
	if r.Body != http.NoBody {
		r.Body = s.limitBody(w, r)
	}
	s.handler.ServeHTTP(w, r)
	c.handling.Store(false)
}

// logPanic logs a panic and closes the connection: nobody knows how much of
// the answer was sent.
func (s *Server) logPanic() {
	cause := recover()
	if cause == nil {
		return
	}
	if err, ok := cause.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
		// Neither the path nor the header: credentials may be there.
		s.log.Error("handler panicked", "err", cause, "stack", string(debug.Stack()))
	}
	panic(http.ErrAbortHandler)
}

// body is a body that has to arrive in time. What the handler does afterwards
// may take longer.
type body struct {
	io.ReadCloser
	control *http.ResponseController
}

func (s *Server) limitBody(w http.ResponseWriter, r *http.Request) *body {
	b := &body{r.Body, http.NewResponseController(w)}
	more := time.Duration(max(0, r.ContentLength)/bodyRate) * time.Second
	if more < 0 || more > maxBodyTimeout-bodyTimeout {
		more = maxBodyTimeout - bodyTimeout
	}
	_ = b.control.SetReadDeadline(time.Now().Add(s.bodyTimeout + more))
	return b
}

// Read ends the deadline with the body: it would cancel the request's context.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
