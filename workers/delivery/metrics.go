package delivery

import "github.com/prometheus/client_golang/prometheus"

// Metrics are what all workers measure. The step is revoke or a kind of target;
// the target is empty for the revoker.
type Metrics struct {
	attempts     *prometheus.CounterVec
	redeliveries *prometheus.CounterVec
	deadLetters  *prometheus.CounterVec
	pauses       *prometheus.CounterVec
	paused       *prometheus.GaugeVec
	disabled     *prometheus.GaugeVec
}

// NewMetrics returns the metrics, registered with registerer.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &Metrics{
		attempts: counter("logoutd_attempts_total",
			"Attempts, by step, target and outcome: ok, obsolete, or the code of the failure.", "step", "target", "outcome"),
		redeliveries: counter("logoutd_redeliveries_total",
			"Messages that were delivered more than once, waits for the next attempt included.", "step", "target"),
		deadLetters: counter("logoutd_dead_letters_total", "Dead letters recorded.", "step", "code"),
		pauses:      counter("logoutd_pauses_total", "Pauses because a store or target was down.", "step", "target"),
		paused: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "logoutd_paused", Help: "1 while the store is down, or the circuit breaker of a target is open.",
		}, []string{"step", "target"}),
		disabled: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "logoutd_target_disabled", Help: "1 while a target is disabled: it is told nothing until an operator enables it.",
		}, []string{"step", "target"}),
	}
	registerer.MustRegister(m.attempts, m.redeliveries, m.deadLetters, m.pauses, m.paused, m.disabled)
	return m
}

// Attempted counts attempts with the same outcome.
func (m *Metrics) Attempted(step, target, outcome string, n int) {
	m.attempts.WithLabelValues(step, target, outcome).Add(float64(n))
}

// Redelivered counts a message that was delivered more than once.
func (m *Metrics) Redelivered(step, target string) {
	m.redeliveries.WithLabelValues(step, target).Inc()
}

// Running shows a step or target that is not paused.
func (m *Metrics) Running(step, target string) { m.paused.WithLabelValues(step, target).Set(0) }

// Paused counts a pause and shows it.
func (m *Metrics) Paused(step, target string) {
	m.paused.WithLabelValues(step, target).Set(1)
	m.pauses.WithLabelValues(step, target).Inc()
}

// Disabled shows whether a target is disabled.
func (m *Metrics) Disabled(step, target string, disabled bool) {
	value := 0.0
	if disabled {
		value = 1
	}
	m.disabled.WithLabelValues(step, target).Set(value)
}
