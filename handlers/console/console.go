package console

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/bulk"
	"github.com/logoutd/logoutd/internal/damage"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/forwarded"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/overview"
	"github.com/logoutd/logoutd/internal/replay"
	"github.com/logoutd/logoutd/internal/status"
)

// Config has the dependencies of the console. Fields without a default are
// required.
type Config struct {
	Letters     *deadletters.Letters
	DeadLetters *deadletters.DeadLetters
	Replays     *replay.Replays
	Bulk        *bulk.Bulk
	Jobs        *jobs.Jobs
	Audit       *audit.Log
	Access      *access.Tokens
	Status      *status.Statuses
	Overview    *overview.Overview
	// Describe returns the details of a delivery that operators can see. Default:
	// no details.
	Describe func(kind string, payload jsontext.Value) []messages.Detail
	// Damage reports losses of the broker's streams. Default: no losses.
	Damage *damage.Watch
	// JetStream reads the public events.
	JetStream jetstream.JetStream
	// Attempts authenticates operators; the admin API shares it. Default: one on
	// Access that reports nothing.
	Attempts *access.Attempts
	// Tails limits the live pages of each token; the event streams of the admin API
	// share the limit. Default: a limit of the console's own.
	Tails *access.Tails
	// Sessions are the console's sessions. The caller runs them.
	Sessions *access.Sessions
	// Proxies are the trusted proxies, whose headers name the client. Default: no
	// proxy is trusted.
	Proxies forwarded.Proxies
	// Lifetime ends live pages. Default: never.
	Lifetime context.Context
	// Logger logs the causes of failures. Default: no logging.
	Logger *slog.Logger
}

type console struct {
	Config
}

// New returns the handler of /console and all paths below it.
func New(c Config) http.Handler {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Lifetime == nil {
		c.Lifetime = context.Background()
	}
	if c.Tails == nil {
		c.Tails = access.NewTails(nil)
	}
	if c.Attempts == nil {
		c.Attempts = access.NewAttempts(c.Access, nil, nil)
	}
	o := &console{Config: c}
	return o.protect(o.routes())
}

// routes lists every page. Changes require an operator.
func (c *console) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /console", http.RedirectHandler(root, http.StatusMovedPermanently))
	mux.HandleFunc("GET /console/assets/{file}", asset)
	mux.HandleFunc("GET /console/login", c.askLogin)
	mux.HandleFunc("POST /console/login", c.login)
	mux.HandleFunc("POST /console/logout", c.logout)

	mux.Handle("GET /console/{$}", c.seen(c.overview))
	mux.Handle("GET /console/live", c.live(c.followOverview))
	mux.Handle("GET /console/failed", c.seen(c.failed))
	mux.Handle("GET /console/failed/{id}", c.seen(c.letter))
	mux.Handle("POST /console/failed/plan", c.operated(c.planLetters))
	mux.Handle("GET /console/revoke", c.seen(c.askRevoke))
	mux.Handle("POST /console/revoke", c.operated(c.planRevoke))
	mux.Handle("GET /console/jobs", c.seen(c.jobs))
	mux.Handle("GET /console/jobs/live", c.live(c.followJobs))
	mux.Handle("POST /console/jobs", c.operated(c.start))
	mux.Handle("GET /console/jobs/{id}", c.seen(c.job))
	mux.Handle("GET /console/jobs/{id}/live", c.live(c.followJob))
	mux.Handle("POST /console/jobs/{id}/{action}", c.operated(c.steer))
	mux.Handle("GET /console/search", c.seen(c.search))
	mux.Handle("GET /console/audit", c.seen(c.audit))
	mux.Handle("POST /console/damage/acknowledge", c.operated(c.acknowledgeDamage))
	mux.Handle("GET /console/sessions", c.seen(c.sessions))
	mux.Handle("POST /console/sessions/{id}/end", c.seen(c.endSession))
	mux.Handle("GET /console/events", c.seen(c.events))
	mux.Handle("GET /console/events/live", c.live(c.followEvents))
	mux.Handle("/console/", c.seen(notFound))
	return mux
}

// root is the first page of the console.
const root = "/console/"
