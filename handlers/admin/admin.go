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

// Config is what the admin API works with. What has no default must be set.
type Config struct {
	Store       store.Store
	Publisher   *broker.Publisher
	DeadLetters *deadletters.DeadLetters
	// JetStream is where the public events are read.
	JetStream jetstream.JetStream
	// CSRFToken returns the CSRF token that belongs to a session id.
	CSRFToken func(sessionID string) string

	// What operators work with. The caller runs what has a Run.
	Letters  *deadletters.Letters
	Replays  *replay.Replays
	Bulk     *bulk.Bulk
	Jobs     *jobs.Jobs
	Status   *status.Statuses
	Overview *overview.Overview
	// Audit gets what operators do. Default: the log in JetStream.
	Audit *audit.Log
	// Tokens are who may call. Default: Token alone, as the root token.
	Tokens *access.Tokens
	// Sessions are those of the console. Default: those in JetStream.
	Sessions *access.Sessions
	// Attempts are how callers are let in. Default: on Tokens, reported nowhere.
	Attempts *access.Attempts
	// Tails bounds the tails of events by token. Default: its own.
	Tails *access.Tails
	// Providers are the push providers of this process. Default: all names are
	// taken to be configured.
	Providers *providers.Providers
	// Describe returns what operators see of a delivery of a kind. Default:
	// nothing.
	Describe func(kind string, payload jsontext.Value) []messages.Detail
	// Kinds are the names of all kinds of target. Default: none.
	Kinds []string
	// Damage is what the broker's streams have lost. Default: nothing.
	Damage *damage.Watch
	// Subscribers are who reads the public events. Default: those in JetStream,
	// of a broker that is not embedded.
	Subscribers *subscribers.Subscribers
	// Token is for where Tokens is not set. Empty: every call is refused.
	Token string

	// Proxies are the proxies whose word counts of where a request comes from.
	// Default: none.
	Proxies forwarded.Proxies
	// PublishUnknown revokes a session that the store does not know all the
	// same, because sessions are kept elsewhere. Default: 404.
	PublishUnknown bool
	// Ready returns why no call can be answered yet, or nil. Default: nil.
	Ready func() error
	// Lifetime ends what may take long: a tail of events, a dry run, and an
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
	roles map[string]access.Role // by pattern
	calls *prometheus.CounterVec
	// tokensRead reports whether a token that is unknown will stay so.
	tokensRead func() bool
	recordFor  time.Duration
}

// New returns the handler of everything under /v1/.
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

// ServeHTTP lets nobody in without a token whose role is enough, then answers
// what the mux does not know in the shape of everything else here.
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
			"the body is compressed, which is not read here: send it as it is, without Content-Encoding"))
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
