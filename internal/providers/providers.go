package providers

import (
	"log/slog"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// maxNames is how many providers that are not configured are told apart. Callers
// choose the names, and each is a series of a metric.
const maxNames = 20

// Others stands for all providers beyond those that are told apart.
const Others = "(others)"

// Where a provider that is not configured was met.
const (
	Registered = "registered" // a push registration was accepted
	Deleted    = "deleted"    // one was deleted, and nobody was told
)

// Providers are the push providers of a process. It is safe for concurrent use.
type Providers struct {
	configured []string
	met        *prometheus.CounterVec
	logger     *slog.Logger

	mu      sync.Mutex
	unknown []string
}

// New returns the configured providers.
func New(configured []string, registerer prometheus.Registerer, logger *slog.Logger) *Providers {
	p := &Providers{configured: configured, logger: logger, met: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "logoutd_push_unconfigured_total",
		Help: "Push registrations whose provider is not configured, by provider and by what became of them: registered, or deleted without telling anybody.",
	}, []string{"provider", "outcome"})}
	registerer.MustRegister(p.met)
	return p
}

// Configured reports whether a provider is told of deletions.
func (p *Providers) Configured(name string) bool { return slices.Contains(p.configured, name) }

// Note counts a push registration of a provider that is not configured, and logs
// the first of each. It returns the name under which it is counted.
func (p *Providers) Note(name, outcome string) (label string) {
	label, first := p.label(name)
	if first {
		p.logger.Warn("a push registration names a provider that is not configured: it is deleted at logout, and nobody is told",
			"provider", name, "outcome", outcome)
	}
	p.met.WithLabelValues(label, outcome).Inc()
	return label
}

func (p *Providers) label(name string) (label string, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case slices.Contains(p.unknown, name):
		return name, false
	case len(p.unknown) == maxNames:
		return Others, false
	}
	p.unknown = append(p.unknown, name)
	return name, true
}

// Unconfigured returns the names of the providers that were noted, in order: none
// of a nil Providers.
func (p *Providers) Unconfigured() []string {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(slices.Values(p.unknown))
}
