package handlers

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/rs/cors"

	"github.com/logoutd/logoutd/internal/batcher"
	"github.com/logoutd/logoutd/store"
)

// New returns the handler of the public listener: the dialects, and 404 for
// everything else.
func New(cfg Config) http.Handler {
	f := &front{
		store: cfg.Store, publisher: cfg.Publisher, publishUnknown: cfg.PublishUnknown,
		fenceTimeout: cfg.fenceTimeout(), acceptTimeout: cfg.acceptTimeout(),
		callers: cfg.callers(), metrics: newMetrics(cfg.Registerer), log: cfg.logger(),
		trusted: newTrustedOrigins(cfg),
	}
	f.queue, f.large = f.newQueue(groupCredentials, patience), f.newQueue(1, 0)
	return f.routes(cfg)
}

// front is what all dialects share.
type front struct {
	store            Store
	publisher        Publisher
	publishUnknown   bool
	fenceTimeout     time.Duration
	acceptTimeout    time.Duration
	queue            *batcher.Batcher[*arrival]
	large            *batcher.Batcher[*arrival] // of logouts that present many credentials
	callers          *Callers
	metrics          *metrics
	log              *slog.Logger
	trusted          trustedOrigins
	fenceTrouble     seldom
	publishTrouble   seldom
	crossSiteTrouble seldom
}

// routes lists every route of the public listener.
func (f *front) routes(cfg Config) router {
	routes := router{}
	v1 := sap{scope: store.ScopeSession, cookies: cfg.SAP.cookies()}
	v2 := sap{scope: store.ScopeUser, cookies: cfg.SAP.cookies()}
	crossOrigin := allowOrigins(cfg.SAP.Origins)
	for _, slash := range []string{"", "/"} {
		routes["/mobileservices/sessions/logout"+slash] = crossOrigin(f.serve("sap_v1", v1, http.MethodPost))
		routes["/mobileservices/sessions"+slash] = crossOrigin(f.serve("sap_v1", v1, http.MethodDelete))
		routes["/mobileservices/sessions/v2/logout"+slash] = crossOrigin(f.serve("sap_v2", v2, http.MethodPost))
		routes["/mobileservices/sessions/v2"+slash] = crossOrigin(f.serve("sap_v2", v2, http.MethodDelete))
	}

	script := elvis{cookie: cfg.Elvis.cookie(), secret: cfg.Secret, csrf: true}
	redirect := elvisRedirect{
		elvis:   elvis{cookie: cfg.Elvis.cookie()},
		to:      newRedirects(cfg.Elvis.RedirectOrigins, cfg.Elvis.landingPage()),
		proxies: cfg.Proxies,
	}
	routes["/services/logout"] = f.serve("elvis", script, http.MethodPost)
	routes["/logout"] = f.serve("elvis", redirect, http.MethodGet, http.MethodPost)

	routes["/self-service/logout/api"] = f.serve("kratos", kratos{}, http.MethodDelete)
	routes["/auth/self-service/logout/api"] = f.serve("kratos", kratos{}, http.MethodDelete)
	return routes
}

// allowOrigins returns the CORS layer for the origins. Without any there is
// none: to rs/cors an empty list means all.
func allowOrigins(origins []string) func(http.Handler) http.Handler {
	if len(origins) == 0 {
		return func(h http.Handler) http.Handler { return h }
	}
	return cors.New(cors.Options{
		AllowedOrigins:   origins,
		AllowedMethods:   []string{http.MethodPost, http.MethodDelete},
		AllowedHeaders:   []string{"*"},
		AllowCredentials: true,
	}).Handler
}
