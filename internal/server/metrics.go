package server

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	closedForRoom, refusedTotal, refusedAddress, handshakeFailures prometheus.Counter
}

// newMetrics registers the metrics of a listener.
func newMetrics(r prometheus.Registerer, listener string, p *pool) *metrics {
	if r == nil {
		r = prometheus.NewRegistry()
	}
	auto := promauto.With(prometheus.WrapRegistererWith(prometheus.Labels{"listener": listener}, r))
	for state, count := range map[string]func() int{
		"active": func() int { active, _ := p.count(); return active },
		"idle":   func() int { _, idle := p.count(); return idle },
	} {
		auto.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "logoutd_connections", Help: "Open connections. On an idle one no request is being answered.",
			ConstLabels: prometheus.Labels{"state": state},
		}, func() float64 { return float64(count()) })
	}
	refused := func(reason string) prometheus.Counter {
		return auto.NewCounter(prometheus.CounterOpts{
			Name: "logoutd_connections_refused_total", Help: "New connections that there was no room for, by the limit that was reached: total, or address for that of one address.",
			ConstLabels: prometheus.Labels{"reason": reason},
		})
	}
	return &metrics{
		closedForRoom: auto.NewCounter(prometheus.CounterOpts{
			Name: "logoutd_connections_closed_for_room_total", Help: "Idle connections that were closed to make room for new ones.",
		}),
		refusedTotal: refused("total"), refusedAddress: refused("address"),
		handshakeFailures: auto.NewCounter(prometheus.CounterOpts{
			Name: "logoutd_tls_handshake_failures_total", Help: "TLS handshakes that failed.",
		}),
	}
}
