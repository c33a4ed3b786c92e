package overview

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// meter tells how fast a total grows.
type meter struct {
	at    time.Time // zero: never asked
	total float64   // the highest
}

// rate returns the growth a second since it was last asked, 0 at first. A fall
// is made up for before anything counts as growth again.
func (m *meter) rate(at time.Time, total float64) float64 {
	before := *m
	m.at, m.total = at, max(before.total, total)
	elapsed := at.Sub(before.at).Seconds()
	if before.at.IsZero() || elapsed <= 0 {
		return 0
	}
	return (m.total - before.total) / elapsed
}

// acceptedTotal counts logouts; those accepted have acceptedOutcome.
const (
	acceptedTotal   = "logoutd_logout_requests_total"
	acceptedOutcome = "accepted"
)

// acceptedBy returns how many logouts a process has accepted. It is not known
// where the process counts none.
func acceptedBy(process prometheus.Gatherer) (accepted float64, known bool, err error) {
	if process == nil {
		return 0, false, nil
	}
	families, err := process.Gather()
	for _, family := range families {
		if family.GetName() != acceptedTotal {
			continue
		}
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == "outcome" && label.GetValue() == acceptedOutcome {
					accepted, known = accepted+metric.GetCounter().GetValue(), true
				}
			}
		}
	}
	return accepted, known, err
}
