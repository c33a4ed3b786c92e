package handlers

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// appOrigins are the origins of the web views of mobile apps (Capacitor, Ionic,
// Cordova), which no web site can have.
var appOrigins = []string{"https://localhost", "capacitor://localhost", "ionic://localhost"}

// trustedOrigins are the origins whose pages may log out with a cookie; a * in
// one stands for any text, as in those of CORS.
type trustedOrigins []string

func newTrustedOrigins(cfg Config) trustedOrigins {
	var trusted trustedOrigins
	for _, o := range slices.Concat(appOrigins, cfg.SAP.Origins, cfg.Elvis.RedirectOrigins, cfg.TrustedOrigins) {
		trusted = append(trusted, normalOrigin(o))
	}
	return trusted
}

func (trusted trustedOrigins) has(origin string) bool {
	origin = normalOrigin(origin)
	return slices.ContainsFunc(trusted, func(o string) bool {
		prefix, suffix, pattern := strings.Cut(o, "*")
		return o == origin || pattern && len(origin) >= len(prefix)+len(suffix) &&
			strings.HasPrefix(origin, prefix) && strings.HasSuffix(origin, suffix)
	})
}

// normalOrigin returns an origin, or that of a URL, in one form.
func normalOrigin(origin string) string {
	if u, err := url.Parse(origin); err == nil && u.Scheme != "" {
		return originOf(u)
	}
	return strings.ToLower(origin)
}

// crossSite reports whether a page of another site, which is not trusted, is
// proven to have sent a request: by fetch metadata (W3C Fetch Metadata, section
// 2.3), or where a browser sends none, by an Origin on another host. Clients
// that send neither are no browsers. A Referer proves nothing, but tells where
// a link stands, of which browsers send no Origin.
func (trusted trustedOrigins) crossSite(r *http.Request) bool {
	if !fromOtherSite(r) {
		return false
	}
	sources := r.Header["Origin"]
	if len(sources) == 0 {
		sources = r.Header["Referer"]
	}
	return len(sources) != 1 || !trusted.has(sources[0])
}

func fromOtherSite(r *http.Request) bool {
	sites := r.Header["Sec-Fetch-Site"]
	if slices.Contains(sites, "cross-site") {
		return true
	}
	for _, site := range sites {
		if site == "same-origin" || site == "same-site" || site == "none" {
			return false
		}
	}
	return slices.ContainsFunc(r.Header["Origin"], func(origin string) bool {
		u, err := url.Parse(origin)
		return err != nil || !strings.EqualFold(u.Hostname(), (&url.URL{Host: r.Host}).Hostname())
	})
}

// prefetches reports whether a browser asks for what its user may never see
// (Sec-Purpose), also in the words of older ones.
func prefetches(r *http.Request) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		for _, value := range r.Header[name] {
			value = strings.ToLower(value)
			if strings.Contains(value, "prefetch") || strings.Contains(value, "prerender") || strings.Contains(value, "preview") {
				return true
			}
		}
	}
	return false
}

// The answers to logouts that their user did not ask for.
var (
	crossSiteFault = fault{http.StatusForbidden, "A page of another site has sent this logout."}
	prefetchFault  = fault{http.StatusForbidden, "A prefetch does not log out."}
)

// refuseCrossSite logs a refusal now and then. The Origin is no secret.
func (f *front) refuseCrossSite(ctx context.Context, r *http.Request, dialect string) {
	const enough = 100 // bytes
	if !f.crossSiteTrouble.due(time.Now()) {
		return
	}
	origin := r.Header.Get("Origin")
	f.log.WarnContext(ctx, "logout of another site's page refused; if the site is yours, add its origin to the setting trusted_origins",
		"dialect", dialect, "origin", origin[:min(len(origin), enough)], "setting", "trusted_origins")
}
