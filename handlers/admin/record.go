package admin

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap supports [http.ResponseController].
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// discard is a response writer that keeps only status and header.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

func newCalls(registerer prometheus.Registerer) *prometheus.CounterVec {
	calls := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "logoutd_admin_requests_total",
		Help: "Calls of the admin API, by route and status.",
	}, []string{"route", "status"})
	if registerer != nil {
		registerer.MustRegister(calls)
	}
	return calls
}

// count counts a call. All unknown paths share one label, because a caller must
// not choose labels.
func (a *api) count(pattern string, status int) {
	if pattern == "" {
		pattern = "none"
	}
	a.calls.WithLabelValues(pattern, strconv.Itoa(status)).Inc()
}
