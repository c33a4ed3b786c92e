package access

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// MaxTails is how many tails of events one token can have open: a browser
// opens six at most over HTTP/1.1, and five operators may share a token. Each
// takes a connection and a consumer of the broker.
const MaxTails = 32

// Tails counts what follows events for long, by token. It is safe for
// concurrent use.
type Tails struct {
	refused prometheus.Counter

	mu   sync.Mutex
	open map[string]int // by name of the token
	all  int
}

// NewTails returns Tails that nobody has opened. A nil registerer: no metrics.
func NewTails(r prometheus.Registerer) *Tails {
	t := &Tails{open: map[string]int{}}
	auto := promauto.With(r)
	t.refused = auto.NewCounter(prometheus.CounterOpts{
		Name: "logoutd_event_tails_refused_total", Help: "Tails of events that were refused because the token had too many.",
	})
	auto.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "logoutd_event_tails", Help: "Open tails of events, by the admin API and by live pages of the console.",
	}, func() float64 {
		t.mu.Lock()
		defer t.mu.Unlock()
		return float64(t.all)
	})
	return t
}

// Open opens a tail for a token. It is false where that has too many.
func (t *Tails) Open(token string) (closeTail func(), ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open[token] >= MaxTails {
		t.refused.Inc()
		return nil, false
	}
	t.add(token, 1)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.add(token, -1)
	}, true
}

func (t *Tails) add(token string, n int) {
	t.all += n
	if t.open[token] += n; t.open[token] == 0 {
		delete(t.open, token)
	}
}
