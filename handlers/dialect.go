package handlers

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/logoutd/logoutd/store"
)

// dialect is how one of the imitated APIs words requests and answers.
type dialect interface {
	// read returns the logout that a request asks for, or why it is malformed.
	read(w http.ResponseWriter, r *http.Request) (logout, *fault)

	// answer says that a logout is accepted, or that nothing is to be done:
	// its session is unknown, or there is no credential.
	answer(w http.ResponseWriter, r *http.Request, o outcome)

	// fail says that the logout failed.
	fail(w http.ResponseWriter, r *http.Request, f fault)
}

// logout is what a request asks for.
type logout struct {
	scope      store.Scope
	candidates []candidate
	// byCookie: cookies are among the credentials, and nothing that pages of
	// other sites cannot send.
	byCookie bool
}

// fault is a failed logout. The reason is for the caller: it names neither
// causes inside nor anything secret.
type fault struct {
	status int // of HTTP
	reason string
}

// maxHeader is how long the request line and the header are together, in bytes,
// which is the only bound on the number of credentials: about a thousand. Most
// proxies in front accept less, browsers keep a cookie to 4 KiB.
const maxHeader = 16 << 10

var headerFault = fault{http.StatusRequestHeaderFieldsTooLarge, "Request line and header are larger than 16 KiB."}

// headerSize returns the length of request line and header as HTTP/1 sends
// them.
func headerSize(r *http.Request) int {
	size := len(r.Method) + len(r.RequestURI) + len("  HTTP/1.1\r\nHost: \r\n\r\n") + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			size += len(name) + len(value) + len(": \r\n")
		}
	}
	return size
}

// maxRetryAfter bounds Retry-After, in seconds. It is random, so that callers
// do not come back all at once.
const maxRetryAfter = 3

// route is a path of a dialect, whose name stands in events and metrics.
type route struct {
	name    string
	dialect dialect
	methods []string
	metrics dialectMetrics
}

// serve returns the handler of a dialect's path.
func (f *front) serve(name string, d dialect, methods ...string) http.Handler {
	to := route{name: name, dialect: d, methods: methods, metrics: f.metrics.of(name)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		o, failed := f.handle(to, w, r)
		to.metrics.outcomes[o].Inc()
		if failed == nil {
			d.answer(w, r, o)
			return
		}
		switch failed.status {
		case http.StatusMethodNotAllowed:
			w.Header().Set("Allow", strings.Join(methods, ", "))
		case http.StatusServiceUnavailable:
			w.Header().Set("Retry-After", strconv.Itoa(1+rand.IntN(maxRetryAfter)))
		}
		d.fail(w, r, *failed)
	})
}

func (f *front) handle(to route, w http.ResponseWriter, r *http.Request) (outcome, *fault) {
	if headerSize(r) > maxHeader {
		return outcomeInvalid, &headerFault
	}
	if !slices.Contains(to.methods, r.Method) {
		return outcomeInvalid, &fault{http.StatusMethodNotAllowed, "Allowed here: " + strings.Join(to.methods, ", ") + "."}
	}
	if r.Method == http.MethodGet && prefetches(r) {
		return outcomePrefetch, &prefetchFault
	}
	l, failed := to.dialect.read(w, r)
	if failed != nil {
		return outcomeInvalid, failed
	}
	if len(l.candidates) == 0 {
		return outcomeNoCredential, nil
	}
	if l.byCookie && f.trusted.crossSite(r) {
		f.refuseCrossSite(r.Context(), r, to.name)
		return outcomeCrossSite, &crossSiteFault
	}
	start := time.Now()
	o := f.accept(r, to.name, l, start)
	to.metrics.accept.Observe(time.Since(start).Seconds())
	return o, o.fault()
}
