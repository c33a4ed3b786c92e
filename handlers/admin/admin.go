package admin

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/bulk"
	"github.com/logoutd/logoutd/internal/damage"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/forwarded"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/overview"
	"github.com/logoutd/logoutd/internal/providers"
	"github.com/logoutd/logoutd/internal/replay"
	"github.com/logoutd/logoutd/internal/status"
	"github.com/logoutd/logoutd/internal/subscribers"
	"github.com/logoutd/logoutd/store"
)

// Config has the dependencies of the admin API. Fields without a default are
// required.
type Config struct {
	Store       store.Store
	Publisher   *broker.Publisher
	DeadLetters *deadletters.DeadLetters
	// JetStream reads the public events.
	JetStream jetstream.JetStream
	// CSRFToken returns the CSRF token of a session id.
	CSRFToken func(sessionID string) string

	// The operations. The caller runs those with a Run method.
	Letters  *deadletters.Letters
	Replays  *replay.Replays
	Bulk     *bulk.Bulk
	Jobs     *jobs.Jobs
	Status   *status.Statuses
	Overview *overview.Overview
	// Audit records what operators do. Default: the log in JetStream.
	Audit *audit.Log
	// Tokens are the valid tokens. Default: only Token, as the root token.
	Tokens *access.Tokens
	// Sessions are the console's sessions. Default: those in JetStream.
	Sessions *access.Sessions
	// Attempts authenticates callers. Default: one on Tokens that reports nothing.
	Attempts *access.Attempts
	// Tails limits the event streams of each token. Default: a limit of its own.
	Tails *access.Tails
	// Providers are the push providers of this process. Default: every provider
	// counts as configured.
	Providers *providers.Providers
	// Describe returns the details of a delivery that operators can see. Default:
	// no details.
	Describe func(kind string, payload jsontext.Value) []messages.Detail
	// Kinds are the names of all kinds of target. Default: none.
	Kinds []string
	// Damage reports losses of the broker's streams. Default: no losses.
	Damage *damage.Watch
	// Subscribers are the services that read the public events. Default: those in
	// JetStream, of an external broker.
	Subscribers *subscribers.Subscribers
	// Token is the only valid token if Tokens is not set. Empty: every call is
	// refused.
	Token string

	// Proxies are the trusted proxies, whose headers name the client. Default: no
	// proxy is trusted.
	Proxies forwarded.Proxies
	// PublishUnknown also revokes sessions that the store does not know, because
	// another system keeps them. Default: 404.
	PublishUnknown bool
	// Ready returns why calls cannot be answered yet, or nil. Default: nil.
	Ready func() error
	// Lifetime ends long calls: event streams, dry runs, and imports between two
	// batches. Other calls are completed. Default: never.
	Lifetime context.Context
	// Logger logs the causes of failures. Default: no logging.
	Logger *slog.Logger
	// Registerer registers the metrics. Default: no metrics.
	Registerer prometheus.Registerer
}

type api struct {
	Config
	mux   *http.ServeMux
	roles map[string]access.Role // by pattern
	calls *prometheus.CounterVec
	// tokensRead reports whether the tokens were read, so that an unknown token is
	// invalid.
	tokensRead func() bool
	recordFor  time.Duration
}

// New returns the handler of all paths under /v1/.
func New(c Config) http.Handler {
	tokensRead := func() bool { return true }
	if c.Tokens != nil {
		tokensRead = c.Tokens.Loaded
	}
	c.setDefaults()
	a := &api{
		Config: c, mux: http.NewServeMux(), roles: map[string]access.Role{},
		calls: newCalls(c.Registerer), tokensRead: tokensRead, recordFor: recordTimeout,
	}
	for _, r := range a.routes() {
		a.mux.HandleFunc(r.pattern, r.handler)
		a.roles[r.pattern] = r.role
	}
	return a
}

func (c *Config) setDefaults() {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Lifetime == nil {
		c.Lifetime = context.Background()
	}
	if c.Ready == nil {
		c.Ready = func() error { return nil }
	}
	if c.Audit == nil {
		c.Audit = audit.New(c.JetStream)
	}
	if c.Subscribers == nil {
		c.Subscribers = subscribers.New(subscribers.Config{JetStream: c.JetStream, Logger: c.Logger})
	}
	if c.Tokens == nil {
		c.Tokens = access.New(access.Config{JetStream: c.JetStream, Root: c.Token, Logger: c.Logger})
	}
	if c.Sessions == nil {
		c.Sessions = access.NewSessions(access.SessionsConfig{JetStream: c.JetStream, Tokens: c.Tokens, Logger: c.Logger})
	}
	if c.Tails == nil {
		c.Tails = access.NewTails(c.Registerer)
	}
	if c.Attempts == nil {
		c.Attempts = access.NewAttempts(c.Tokens, nil, c.Registerer)
	}
}

// strangerTimeout is how long somebody who is refused may go on sending.
const strangerTimeout = 2 * time.Second

// ServeHTTP authenticates every call and checks its role. It answers unknown paths
// and methods with problem documents, too.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handler, pattern := a.mux.Handler(r)
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	if role, known := a.roles[pattern]; known && role == anybody {
		a.mux.ServeHTTP(rec, r)
		a.count(pattern, rec.status)
		return
	}
	caller, refusal := a.admit(r, a.roles[pattern])
	unready := a.Ready()
	switch {
	case refusal != nil:
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(strangerTimeout))
		a.fail(rec, r, refusal)
	case unready != nil:
		a.fail(rec, r, unready)
	case r.ContentLength != 0 && encoded(r):
		rec.Header().Set("Accept-Encoding", "identity")
		a.fail(rec, r, newProblem(http.StatusUnsupportedMediaType,
			"compressed bodies are not supported: send the body without Content-Encoding"))
	case pattern == "":
		a.fail(rec, r, noRoute(rec.Header(), handler, r))
	default:
		a.mux.ServeHTTP(rec, called(r, caller)) // not handler: the mux sets the path values
	}
	a.count(pattern, rec.status)
}

// encoded reports whether the body is compressed (RFC 9110, section 8.4).
func encoded(r *http.Request) bool {
	for _, coding := range strings.Split(strings.Join(r.Header.Values("Content-Encoding"), ","), ",") {
		if coding = strings.TrimSpace(coding); coding != "" && !strings.EqualFold(coding, "identity") {
			return true
		}
	}
	return false
}

// noRoute finds out from the mux whether the path or the method is wrong.
func noRoute(header http.Header, refusal http.Handler, r *http.Request) *problem {
	probe := &discard{header: http.Header{}}
	refusal.ServeHTTP(probe, r)
	if probe.status != http.StatusMethodNotAllowed {
		return newProblem(http.StatusNotFound, "unknown path; see GET /v1/openapi.json for all calls")
	}
	header.Set("Allow", probe.header.Get("Allow"))
	return newProblem(http.StatusMethodNotAllowed, "method not allowed: see the header Allow")
}

// untilStopped returns the context of the request, which also ends with Lifetime.
func (a *api) untilStopped(r *http.Request) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(r.Context())
	if a.Lifetime.Err() != nil {
		cancel() // AfterFunc would do so asynchronously
	}
	stop := context.AfterFunc(a.Lifetime, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}
