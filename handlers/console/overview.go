package console

import (
	"context"
	"time"

	"github.com/logoutd/logoutd/internal/damage"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/overview"
)

// overviewPage is the first page.
type overviewPage struct {
	overview.Snapshot
	Tiles   []tile
	Running []jobs.Job
	Count   badge
	// RunningUnknown reports that the jobs could not be read.
	RunningUnknown bool
	Damage         []damage.Finding
	Verdict        verdict
	Now            time.Time
}

// tile is a current figure with its last ten minutes.
type tile struct {
	Label, Value, Unit, Foot string
	Chart                    chart
}

// Largest returns the size of the largest group.
func (p overviewPage) Largest() int {
	if len(p.Groups) == 0 {
		return 0
	}
	return p.Groups[0].Count
}

// liveParts are the parts of the first page that are updated.
var liveParts = []string{"count-live", "verdict", "tiles", "running", "rebuilding", "groups-live", "targets"}

func (c *console) overview(v *visit) (view, error) {
	p := c.newOverview(v.Context())
	p.Damage = c.Damage.Findings()
	var err error
	if p.Running, err = c.running(v); err != nil {
		v.missing(c, "Jobs", err)
		p.RunningUnknown = true
	}
	return view{template: "overview", title: "Overview", section: "overview", refresh: 10, data: p}, nil
}

// running returns the jobs that have not finished.
func (c *console) running(v *visit) ([]jobs.Job, error) {
	all, err := c.Jobs.List(v.Context(), pageSize)
	var running []jobs.Job
	for _, job := range all {
		if !job.State.Finished() {
			running = append(running, job)
		}
	}
	return running, err
}

func (c *console) newOverview(ctx context.Context) overviewPage {
	now := time.Now().UTC()
	p := overviewPage{Snapshot: c.Overview.Now(), Count: c.badge(ctx), Now: now}
	p.Tiles = tiles(p.Snapshot, c.Overview.History(now.Add(-overview.Kept)), now)
	p.Verdict = judge(p.Snapshot, p.Count, now)
	return p
}

func tiles(s overview.Snapshot, history []overview.Sample, now time.Time) []tile {
	draw := func(label, unit, mood string, value func(overview.Sample) (float64, bool)) chart {
		return newChart(label, unit, mood, history, now, value)
	}
	accepted := tile{Label: "Accepted here", Value: "–", Foot: "this process is not a front end", Chart: draw("Logouts accepted here", "per second", "",
		func(s overview.Sample) (float64, bool) { return s.AcceptedPerSecond, s.AcceptedKnown })}
	if s.AcceptedKnown {
		accepted.Value, accepted.Unit, accepted.Foot = perSecond(s.AcceptedPerSecond), "/s", ""
	}
	known := func(value float64, s overview.Sample) (float64, bool) { return value, !s.Stale }
	revoked := tile{Label: "Revoked", Value: perSecond(s.RevokedPerSecond), Unit: "/s", Chart: draw("Logouts revoked", "per second", "",
		func(s overview.Sample) (float64, bool) { return known(s.RevokedPerSecond, s) })}
	latency := tile{Label: "Time to revoke, median", Value: "–", Chart: draw("Time from request to revoked", "ms", "",
		func(s overview.Sample) (float64, bool) { return s.LatencyMillis, s.LatencyKnown && !s.Stale })}
	if s.LatencyKnown {
		latency.Value, latency.Unit = perSecond(s.LatencyMillis), "ms"
	}
	backlog := tile{Label: "Waiting", Value: number(s.BacklogMessages), Unit: "messages", Chart: draw("Messages waiting", "", "warn",
		func(s overview.Sample) (float64, bool) { return known(float64(s.BacklogMessages), s) })}
	if s.BacklogOldest > 0 {
		backlog.Foot = "oldest " + long(s.BacklogOldest)
	}
	if !s.BrokerOK {
		revoked.unknown("", s, now)
		latency.unknown("", s, now)
		backlog.unknown(number(s.BacklogMessages)+" messages", s, now)
	}
	return []tile{accepted, revoked, latency, backlog}
}

// unknown removes the figure from a tile while the broker, which has it, does
// not answer. last is the last known figure.
func (t *tile) unknown(last string, s overview.Snapshot, now time.Time) {
	t.Value, t.Unit, t.Foot = "–", "", "unknown: the broker does not answer"
	if last != "" && !s.FiguresAt.IsZero() {
		t.Foot = "unknown; " + last + " at " + moment(s.FiguresAt, now)
	}
}

// followOverview sends the parts of the first page as they change.
func (c *console) followOverview(s *stream) error {
	samples := c.Overview.Subscribe(s.ctx)
	for {
		select {
		case <-s.beat.C:
			if err := s.alive(); err != nil {
				return err
			}
		case _, open := <-samples:
			if !open {
				return s.ctx.Err()
			}
			p := c.newOverview(s.ctx)
			if p.Jobs > 0 || s.sent["running"] != "" || p.Stale {
				var err error
				p.Running, err = c.running(s.visit) // the next sample tries again
				p.RunningUnknown = err != nil
			}
			if err := s.parts("overview", p, liveParts...); err != nil {
				return err
			}
		}
	}
}
