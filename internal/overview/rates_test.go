package overview_test

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/overview"
)

// TestRatesAddUp: what the samples tell a second is, over their time, what was
// accepted and what was revoked. Dead letters are not revoked.
func TestRatesAddUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	front := prometheus.NewRegistry()
	requests := promauto.With(front).NewCounterVec(
		prometheus.CounterOpts{Name: "logoutd_logout_requests_total"}, []string{"dialect", "outcome"})
	sap, kratos := requests.WithLabelValues("sap", "accepted"), requests.WithLabelValues("kratos", "accepted")
	sap.Add(1000) // before it runs
	w.revoked(5, 0)
	o := w.start(overview.Config{Gatherer: front})

	for range 5 {
		sap.Add(3)
		kratos.Add(1)
		requests.WithLabelValues("sap", "unknown").Add(7)
		w.revoked(2, 0)
		w.letters("timeout", 3)
	}
	total := func(perSecond func(overview.Sample) float64) float64 {
		samples, sum := o.History(time.Time{}), 0.0
		for i := 1; i < len(samples); i++ {
			sum += perSecond(samples[i]) * samples[i].At.Sub(samples[i-1].At).Seconds()
		}
		return sum
	}
	eventually(t, o, "20 accepted", func(s overview.Snapshot) bool {
		return s.AcceptedKnown && math.Abs(total(func(s overview.Sample) float64 { return s.AcceptedPerSecond })-20) < 0.001
	})
	// Of the latest letter only the announcement may have been seen.
	eventually(t, o, "10 revoked", func(s overview.Snapshot) bool {
		return s.Failed == 15 && math.Abs(total(func(s overview.Sample) float64 { return s.RevokedPerSecond })-10) < 1.001
	})
}

// TestAcceptedIsNotKnownWithoutFront: a process that counts no logouts does not
// tell that there are none.
func TestAcceptedIsNotKnownWithoutFront(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(overview.Config{Gatherer: prometheus.NewRegistry()})
	if s := o.Now(); s.AcceptedKnown || s.AcceptedPerSecond != 0 {
		t.Errorf("%v accepted a second, known: %t", s.AcceptedPerSecond, s.AcceptedKnown)
	}
}

// TestLatencyIsOfLogoutsDoneNow: not of those before it runs, nor of other
// events, and not for ever.
func TestLatencyIsOfLogoutsDoneNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.revoked(5, time.Hour)
	o := w.start(overview.Config{})
	w.letters("timeout", 1)
	eventually(t, o, "the letter", func(s overview.Snapshot) bool { return s.Failed == 1 })
	if s := o.Now(); s.LatencyKnown {
		t.Errorf("a latency of %v ms, while nothing is done", s.LatencyMillis)
	}
	for _, step := range []struct {
		took   time.Duration
		median float64 // in milliseconds, of those so far
	}{
		{10 * time.Millisecond, 10},
		{7 * time.Minute, 420_000}, // one that had to be tried again
		{42 * time.Millisecond, 42},
	} {
		w.revoked(1, step.took)
		eventually(t, o, "median", func(s overview.Snapshot) bool { return s.LatencyKnown && s.LatencyMillis == step.median })
	}
	eventually(t, o, "no latency", func(s overview.Snapshot) bool { return !s.LatencyKnown })
}

// TestStreamMadeAnew: an operator deletes the public stream, which begins at 1
// again.
func TestStreamMadeAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.revoked(20, 0)
	o := w.start(overview.Config{})
	w.must(w.js.DeleteStream(t.Context(), events.StreamEvents))
	w.must(broker.Setup(t.Context(), w.js))
	w.revoked(1, 0)
	samples(t, o, 2)
	w.revoked(1, 33*time.Millisecond)
	eventually(t, o, "its latency", func(s overview.Snapshot) bool { return s.LatencyMillis == 33 })
	rates := 0.0
	for _, s := range o.History(time.Time{}) {
		rates += s.RevokedPerSecond
	}
	if rates == 0 {
		t.Error("nothing is revoked any more")
	}
}
