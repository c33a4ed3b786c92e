package handlers

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/internal/forwarded"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// Store is what the dialects need of a [store.Store].
type Store interface {
	Fence(ctx context.Context, fences []store.Fence) ([]store.Fenced, error)
}

// Publisher is what the dialects need of an [events.Publisher]: Requests
// returns once all requests are on disk.
type Publisher interface {
	Requests(ctx context.Context, requests ...messages.Request) error
}

// Config is what the public listener is made of.
type Config struct {
	Store     Store     // required
	Publisher Publisher // required

	// Secret is the key of the CSRF tokens; see [CSRFToken]. Required where
	// sessions of kind browser log out by Elvis.
	Secret []byte

	// PublishUnknown accepts logouts of sessions that the store does not know,
	// because sessions are kept elsewhere. Otherwise they make no event.
	PublishUnknown bool

	// FenceTimeout is how long the store may take to fence before the logout
	// goes on without it. Zero: 50 ms.
	FenceTimeout time.Duration

	// AcceptTimeout is how long the whole of fence and acknowledged event may
	// take before the answer is 503. Zero: 5 s.
	AcceptTimeout time.Duration

	// Proxies are the proxies whose word counts of where a request comes from.
	// Nil: none.
	Proxies forwarded.Proxies

	// TrustedOrigins are the web origins whose pages may log out with a cookie,
	// beside those of SAP and Elvis and those of mobile apps; null and file://
	// are possible. Pages of other sites are refused.
	TrustedOrigins []string

	SAP   SAP
	Elvis Elvis

	// Callers is told of each logout that presents a credential. Nil: nobody
	// wants to know.
	Callers *Callers

	// Registerer is where the metrics go. Nil: nowhere.
	Registerer prometheus.Registerer

	// Logger never sees a credential. Nil: nothing is logged.
	Logger *slog.Logger
}

// SAP is the configuration of the dialects sap_v1 and sap_v2.
type SAP struct {
	// Cookies are the names of the cookies that may hold a session token; a
	// final * makes a name a prefix. Empty: X-SMP-SESSID, X-SMP-SESSIDSSO and
	// JSESSIONID.
	Cookies []string

	// Origins are the web origins that get CORS answers, with credentials,
	// such as https://localhost or null. Empty: there is no CORS.
	Origins []string
}

// Elvis is the configuration of the dialect elvis.
type Elvis struct {
	// Cookie is the name of the cookie that holds a session token. Empty:
	// authToken.
	Cookie string

	// LandingPage is where /logout redirects to when it is not told where, or
	// must not go there. Empty: /.
	LandingPage string

	// RedirectOrigins are the http and https origins that /logout may redirect
	// to, such as https://www.example.com. Empty: none but its own.
	RedirectOrigins []string
}

func (c Config) fenceTimeout() time.Duration { return cmp.Or(c.FenceTimeout, 50*time.Millisecond) }

func (c Config) acceptTimeout() time.Duration { return cmp.Or(c.AcceptTimeout, 5*time.Second) }

func (c Config) callers() *Callers {
	if c.Callers == nil {
		return new(Callers)
	}
	return c.Callers
}

func (c Config) logger() *slog.Logger { return cmp.Or(c.Logger, slog.New(slog.DiscardHandler)) }

func (s SAP) cookies() []string {
	if len(s.Cookies) == 0 {
		return []string{"X-SMP-SESSID", "X-SMP-SESSIDSSO", "JSESSIONID"}
	}
	return s.Cookies
}

func (e Elvis) cookie() string { return cmp.Or(e.Cookie, "authToken") }

func (e Elvis) landingPage() string { return cmp.Or(e.LandingPage, "/") }
