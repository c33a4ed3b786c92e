package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	// A header has headerTimeout, and what follows it bodyTimeout: a whole
	// request 10 s.
	headerTimeout = 5 * time.Second
	bodyTimeout   = 5 * time.Second
	writeTimeout  = 20 * time.Second
	idleTimeout   = 2 * time.Minute

	// maxHeader is how long request line and header may be together, in bytes.
	// Every connection holds a buffer of that size, idle ones too: with it such
	// a one takes 25 KiB, with 64 KiB it would take 73 (net/http: 18). Longer
	// headers hardly get here: most proxies pass on 8 KiB a line, and browsers
	// keep a cookie to 4 KiB.
	maxHeader = 16 << 10

	// sendBuffer takes any answer to a logout, in bytes; longer ones are sent
	// in pieces.
	sendBuffer = 1 << 10
)

// Server serves one listener. Create one with [New].
type Server struct {
	handler http.Handler
	log     *slog.Logger
	http    fasthttp.Server

	mu       sync.Mutex
	listener *listener // nil before Serve
	stopped  bool
}

// New returns a server that asks h. It logs panics of h and connections that
// it cannot accept, and nothing of a request. A nil log: nothing.
func New(h http.Handler, log *slog.Logger) *Server {
	s := &Server{handler: h, log: cmp.Or(log, slog.New(slog.DiscardHandler))}
	s.http = fasthttp.Server{
		Handler:        s.answer,
		ErrorHandler:   refuseUnread,
		HeaderReceived: headerReceived,

		ReadTimeout:     headerTimeout,
		WriteTimeout:    writeTimeout,
		IdleTimeout:     idleTimeout,
		ReadBufferSize:  maxHeader,
		WriteBufferSize: sendBuffer,
		// A goroutine of fasthttp's outlives Serve by as much.
		MaxIdleWorkerDuration: time.Second,

		// h reads the body from the connection; only its first byte is read
		// before, the least that can be set.
		StreamRequestBody:            true,
		MaxRequestBodySize:           1,
		DisablePreParseMultipartForm: true,

		NoDefaultServerHeader: true,
		NoDefaultContentType:  true,
		CloseOnShutdown:       true,

		// What it would log is faults of clients, with pieces of headers.
		SecureErrorLogMessage: true,
		Logger:                silent{},
	}
	return s
}

type silent struct{}

func (silent) Printf(string, ...any) {}

// Serve accepts connections on l until [Server.Shutdown], after which it
// returns [http.ErrServerClosed], or until l fails. A server serves once.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	s.listener = newListener(l, s.log)
	stopped := s.stopped
	s.mu.Unlock()
	if stopped {
		_ = l.Close()
		return http.ErrServerClosed
	}
	err := s.http.Serve(s.listener)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopped:
		return http.ErrServerClosed
	case err == nil: // somebody else closed it
		return net.ErrClosed
	default:
		return err
	}
}

// Shutdown accepts no more connections, closes idle ones, and returns once
// what is in flight is answered, or with the error of ctx when that ends
// before.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.stopped = true
	l := s.listener
	s.mu.Unlock()
	if l == nil {
		return nil
	}
	// fasthttp does nothing where its Serve has not got that far; then there
	// must be no listener to accept from.
	_ = l.Close()
	return s.http.ShutdownWithContext(ctx)
}

// answer answers one request.
func (s *Server) answer(ctx *fasthttp.RequestCtx) {
	x, refused := newExchange(ctx)
	if refused != nil {
		refused.answer(ctx)
		return
	}
	s.serve(x)
	x.finish()
}

// serve asks the handler. Nothing is sent before it has returned, so that a
// panic can be answered.
func (s *Server) serve(x *exchange) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			_ = x.ctx.Conn().Close()
			return
		}
		// Neither the path nor the header: credentials may stand there.
		s.log.Error("handler panicked", "err", cause, "stack", string(debug.Stack()))
		x.response.fail()
	}()
	s.handler.ServeHTTP(&x.response, &x.request)
}

// headerReceived is asked before the body is read.
func headerReceived(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if length := h.ContentLength(); length == 0 || length == lengthNone {
		return fasthttp.RequestConfig{}
	}
	// fasthttp knows the expectation in small letters only, and in any version
	// (RFC 9110, section 10.1.1).
	switch expectation := h.Peek("Expect"); {
	case len(expectation) == 0:
	case !h.IsHTTP11():
		h.Del("Expect")
	case strings.EqualFold(string(expectation), continues):
		h.Set("Expect", continues)
	}
	return fasthttp.RequestConfig{ReadTimeout: bodyTimeout}
}

const continues = "100-continue"
