package workers

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/workers/delivery"
)

// Metrics are what the revoker measures besides what all workers do.
type Metrics struct {
	*delivery.Metrics
	revocations *prometheus.CounterVec
	ahead       prometheus.Counter
	latency     prometheus.Histogram
	tombstones  *prometheus.CounterVec
}

// NewMetrics returns the metrics of all workers, registered with registerer.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &Metrics{
		Metrics: delivery.NewMetrics(registerer),
		revocations: counter("logoutd_revocations_total",
			"Logout requests that the revoker is done with, by outcome: done, repeated, unknown.", "outcome"),
		ahead: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "logoutd_revoked_ahead_total",
			Help: "Sessions, refresh tokens and push registrations that were revoked although their time is later than the cutoff: it was ahead of the store's clock.",
		}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "logoutd_revocation_seconds", Help: "From a request to its public event.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 16),
		}),
		tombstones: counter("logoutd_tombstones_total",
			"Logouts without a fence of sessions that the store does not know, by outcome of their tombstones: written, or refused "+
				"because there are too many.", "outcome"),
	}
	registerer.MustRegister(m.revocations, m.ahead, m.latency, m.tombstones)
	return m
}

// done records a request that is completely revoked.
func (m *Metrics) done(outcome string, requestedAt time.Time) {
	m.revocations.WithLabelValues(outcome).Inc()
	if outcome == outcomeDone {
		m.latency.Observe(time.Since(requestedAt).Seconds())
	}
}

// Outcomes of a request.
const (
	outcomeDone     = "done"
	outcomeRepeated = "repeated"
	outcomeUnknown  = "unknown"
)
