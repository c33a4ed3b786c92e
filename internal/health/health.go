package health

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
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
	// Roles are those that need it. Empty: all.
	Roles []string
}

// answer is the body of /readyz.
type answer struct {
	Status   string   `json:"status"` // ready, not ready, or what is wrong with the request
	Reasons  []string `json:"reasons,omitempty"`
	Degraded []string `json:"degraded,omitempty"`
}

// Routes adds the three paths to mux, for a process with the roles.
//
//	/healthz  200 as long as the process lives
//	/readyz   200, or 503 and why: {"status","reasons","degraded"}
//	/metrics  the Prometheus text format
//
// /readyz?role=front asks for one role, and may name several; without it all of
// the process are asked for. A role that does not exist is 400, one that the
// process does not have 404.
func Routes(mux *http.ServeMux, roles []string, checks []Check, gatherer prometheus.Gatherer) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, answer{Status: "alive"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		asked, refused, status := askedFor(r.URL.Query(), roles)
		if refused != "" {
			write(w, status, answer{Status: refused})
			return
		}
		a, status := run(r.Context(), needed(checks, asked))
		write(w, status, a)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{}))
}

// known are all roles that a process can have.
var known = []string{"front", "worker", "admin"}

// askedFor returns the roles that are asked for, or why they cannot be.
func askedFor(query url.Values, roles []string) (asked []string, refused string, status int) {
	for name := range query {
		if name != "role" {
			return nil, "unknown parameter; there is role: " + strings.Join(known, ", "), http.StatusBadRequest
		}
	}
	for _, role := range query["role"] {
		switch {
		case !slices.Contains(known, role):
			return nil, "unknown role; there are " + strings.Join(known, ", "), http.StatusBadRequest
		case !slices.Contains(roles, role):
			return nil, "this process does not have the role " + role + "; it has " + strings.Join(roles, ", "), http.StatusNotFound
		}
	}
	if len(query["role"]) == 0 {
		return roles, "", 0
	}
	return query["role"], "", 0
}

// needed returns the checks of the roles.
func needed(checks []Check, roles []string) []Check {
	var all []Check
	for _, c := range checks {
		if len(c.Roles) == 0 || slices.ContainsFunc(c.Roles, func(role string) bool { return slices.Contains(roles, role) }) {
			all = append(all, c)
		}
	}
	return all
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
		if err == nil {
			continue
		}
		reason := checks[i].Name + ": " + err.Error()
		if checks[i].Optional {
			a.Degraded = appendNew(a.Degraded, reason)
		} else {
			a.Status, status = "not ready", http.StatusServiceUnavailable
			a.Reasons = appendNew(a.Reasons, reason)
		}
	}
	a.Degraded = slices.DeleteFunc(a.Degraded, func(reason string) bool { return slices.Contains(a.Reasons, reason) })
	return a, status
}

// appendNew appends a reason that is not there yet: roles may share it.
func appendNew(reasons []string, reason string) []string {
	if slices.Contains(reasons, reason) {
		return reasons
	}
	return append(reasons, reason)
}

func write(w http.ResponseWriter, status int, a answer) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(a)
}
