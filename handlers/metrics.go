package handlers

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/logoutd/logoutd/store"
)

type metrics struct {
	requests *prometheus.CounterVec   // dialect, outcome
	accept   *prometheus.HistogramVec // dialect
	fences   *prometheus.CounterVec   // outcome
}

// dialectMetrics are the series of one dialect, looked up once.
type dialectMetrics struct {
	accept   prometheus.Observer
	outcomes [len(outcomeNames)]prometheus.Counter
}

// acceptBuckets are in seconds: from 0.5 ms, with the fence timeout and the
// accept timeout among the bounds.
var acceptBuckets = []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5}

// newMetrics registers the metrics.
func newMetrics(r prometheus.Registerer) *metrics {
	auto := promauto.With(r)
	m := &metrics{
		requests: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "logoutd_logout_requests_total",
			Help: "Logouts asked for, by dialect and by what became of them.",
		}, []string{"dialect", "outcome"}),
		accept: auto.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "logoutd_accept_seconds",
			Help:    "Time taken to fence and publish a logout that presents a credential.",
			Buckets: acceptBuckets,
		}, []string{"dialect"}),
		fences: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "logoutd_fence_total",
			Help: "Sessions fenced before the answer, by what the store found; skipped: it failed or took too long.",
		}, []string{"outcome"}),
	}
	for _, o := range []store.FenceOutcome{
		store.FenceUnknown, store.FenceFenced, store.FenceEnded, store.FenceRefused, fenceSkipped,
	} {
		m.fences.WithLabelValues(string(o))
	}
	return m
}

// of makes a dialect's series exist, so that a first failure is a rise.
func (m *metrics) of(dialect string) dialectMetrics {
	d := dialectMetrics{accept: m.accept.WithLabelValues(dialect)}
	for o, name := range outcomeNames {
		d.outcomes[o] = m.requests.WithLabelValues(dialect, name)
	}
	return d
}
