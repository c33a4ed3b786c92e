package admin

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/store"
)

// Config is what the admin API works with. What has no default must be set.
type Config struct {
	Store       store.Store
	Publisher   *events.Publisher
	DeadLetters *events.DeadLetters
	// JetStream is where the public events are read.
	JetStream jetstream.JetStream
	// CSRFToken returns the CSRF token that belongs to a session id.
	CSRFToken func(sessionID string) string
	// Token is the admin token. Empty: every call is refused.
	Token string
	// PublishUnknown revokes a session that the store does not know all the
	// same, because sessions are kept elsewhere. Default: 404.
	PublishUnknown bool
	// Ready returns why no call can be answered yet, or nil. Default: nil.
	Ready func() error
	// Lifetime ends what does not end by itself: a tail of events, and an
	// import between two batches. The rest is answered. Default: for ever.
	Lifetime context.Context
	// Logger gets the causes of failures. Default: none.
	Logger *slog.Logger
	// Registerer gets the metrics. Default: none.
	Registerer prometheus.Registerer
}

type api struct {
	Config
	mux   *http.ServeMux
	calls *prometheus.CounterVec
}

// New returns the handler of everything under /v1/.
func New(c Config) http.Handler {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Lifetime == nil {
		c.Lifetime = context.Background()
	}
	if c.Ready == nil {
		c.Ready = func() error { return nil }
	}
	a := &api{Config: c, mux: http.NewServeMux(), calls: newCalls(c.Registerer)}
	a.routes()
	return a
}

func (a *api) routes() {
	sessions, tokens, pushes := a.sessions(), a.refreshTokens(), a.pushRegistrations()
	a.mux.HandleFunc("PUT /v1/sessions", put(a, sessions))
	a.mux.HandleFunc("PUT /v1/refresh-tokens", put(a, tokens))
	a.mux.HandleFunc("PUT /v1/push-registrations", put(a, pushes))
	a.mux.HandleFunc("POST /v1/import", a.postImport)
	a.mux.HandleFunc("POST /v1/introspect", a.introspect)
	a.mux.HandleFunc("POST /v1/revocations", a.revoke)
	a.mux.HandleFunc("GET /v1/events", a.tail)
	a.mux.HandleFunc("GET /v1/profile", a.profile)
	a.mux.HandleFunc("GET /v1/failed", a.listFailed)
	a.mux.HandleFunc("GET /v1/failed/{id}", a.showFailed)
	a.mux.HandleFunc("POST /v1/failed/replays", a.replayFailed)
	a.mux.HandleFunc("POST /v1/failed/discards", a.discardFailed)
}

// strangerTimeout is how long somebody without the token may go on sending.
const strangerTimeout = 2 * time.Second

// ServeHTTP lets nobody in without the token, then answers what the mux does
// not know in the shape of everything else here.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handler, pattern := a.mux.Handler(r)
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	unready := a.Ready()
	switch {
	case !a.authorized(r):
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(strangerTimeout))
		a.fail(rec, r, unauthorized(r))
	case unready != nil:
		a.fail(rec, r, unready)
	case pattern == "":
		a.fail(rec, r, noRoute(rec.Header(), handler, r))
	default:
		a.mux.ServeHTTP(rec, r) // not handler: the mux sets the path values
	}
	a.count(pattern, rec.status)
}

// noRoute asks the mux's own refusal whether it is the path or the method
// that is wrong.
func noRoute(header http.Header, refusal http.Handler, r *http.Request) *problem {
	probe := &discard{header: http.Header{}}
	refusal.ServeHTTP(probe, r)
	if probe.status != http.StatusMethodNotAllowed {
		return newProblem(http.StatusNotFound, "there is no such call; see the list of calls in the documentation")
	}
	header.Set("Allow", probe.header.Get("Allow"))
	return newProblem(http.StatusMethodNotAllowed, "this call wants another method: see the header Allow")
}

// untilStopped returns the request's context, which ends with Lifetime too.
func (a *api) untilStopped(r *http.Request) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(r.Context())
	if a.Lifetime.Err() != nil {
		cancel() // AfterFunc would do it some time later
	}
	stop := context.AfterFunc(a.Lifetime, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}
