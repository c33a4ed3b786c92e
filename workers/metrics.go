package workers

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are what the workers measure. The step is revoke or push; the
// target is the push provider, empty for the revoker.
type Metrics struct {
	revocations  *prometheus.CounterVec
	ahead        prometheus.Counter
	latency      prometheus.Histogram
	attempts     *prometheus.CounterVec
	redeliveries *prometheus.CounterVec
	deadLetters  *prometheus.CounterVec
	pauses       *prometheus.CounterVec
	paused       *prometheus.GaugeVec
	tombstones   *prometheus.CounterVec
}

// NewMetrics returns the workers' metrics, registered with registerer.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &Metrics{
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
		attempts: counter("logoutd_attempts_total",
			"Attempts, by step, target and outcome: ok, obsolete, or the code of the failure.", "step", "target", "outcome"),
		redeliveries: counter("logoutd_redeliveries_total",
			"Messages that were delivered more than once, waits for the next attempt included.", "step", "target"),
		deadLetters: counter("logoutd_dead_letters_total", "Dead letters recorded.", "step", "code"),
		tombstones: counter("logoutd_tombstones_total",
			"Logouts without a fence of sessions that the store does not know, by outcome of their tombstones: written, or refused "+
				"because there are too many.", "outcome"),
		pauses: counter("logoutd_pauses_total", "Pauses because a store or target was down.", "step", "target"),
		paused: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "logoutd_paused", Help: "1 while the store or target is taken to be down.",
		}, []string{"step", "target"}),
	}
	registerer.MustRegister(m.revocations, m.ahead, m.latency, m.attempts, m.redeliveries, m.deadLetters, m.pauses, m.paused, m.tombstones)
	return m
}

// setPaused records a change between paused and running.
func (m *Metrics) setPaused(step, target string, paused bool) {
	gauge := m.paused.WithLabelValues(step, target)
	if !paused {
		gauge.Set(0)
		return
	}
	gauge.Set(1)
	m.pauses.WithLabelValues(step, target).Inc()
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
