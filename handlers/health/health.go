package health

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// checkTimeout bounds all checks of one answer.
const checkTimeout = 2 * time.Second

// Check is something that a role cannot do its job without.
type Check struct {
	Name string // of the part that is checked, as shown
	// Run returns nil, or an error whose text may be shown to anybody.
	Run func(context.Context) error
	// Optional: without it the role does its job, but not as well.
	Optional bool
}

// answer is the body of /readyz.
type answer struct {
	Status   string   `json:"status"` // ready or not ready
	Reasons  []string `json:"reasons,omitempty"`
	Degraded []string `json:"degraded,omitempty"`
}

// Routes adds the three paths to mux.
//
//	/healthz  200 as long as the process lives
//	/readyz   200, or 503 and why: {"status","reasons","degraded"}
//	/metrics  the Prometheus text format
func Routes(mux *http.ServeMux, checks []Check, gatherer prometheus.Gatherer) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, answer{Status: "alive"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		a, status := run(r.Context(), checks)
		write(w, status, a)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{}))
}

func run(ctx context.Context, checks []Check) (answer, int) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	errs := make([]error, len(checks))
	var running sync.WaitGroup
	for i, check := range checks {
		running.Go(func() { errs[i] = check.Run(ctx) })
	}
	running.Wait()
	a, status := answer{Status: "ready"}, http.StatusOK
	for i, err := range errs {
		switch reason := checks[i].Name; {
		case err == nil:
		case checks[i].Optional:
			a.Degraded = append(a.Degraded, reason+": "+err.Error())
		default:
			a.Status, status = "not ready", http.StatusServiceUnavailable
			a.Reasons = append(a.Reasons, reason+": "+err.Error())
		}
	}
	return a, status
}

func write(w http.ResponseWriter, status int, a answer) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(a)
}
