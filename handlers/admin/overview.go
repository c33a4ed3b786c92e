package admin

import (
	"net/http"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/overview"
)

// situation is the overview in JSON.
type situation struct {
	At       events.Time `json:"at"`
	BrokerOK bool        `json:"broker_ok"`
	StoreOK  bool        `json:"store_ok"`
	// StoreTrouble is present if the store answers but refuses writes.
	StoreTrouble string `json:"store_trouble,omitempty"`
	// Notices are warnings about a broker and store that still work.
	Notices []string `json:"notices,omitempty"`
	// FiguresAt is when the broker last answered: earlier than At if the figures
	// are old.
	FiguresAt events.Time `json:"figures_at,omitzero"`
	// AcceptedPerSecond is present if this process accepts logouts.
	AcceptedPerSecond *float64 `json:"accepted_per_second,omitempty"`
	// Figures from the broker are present once it has answered.
	RevokedPerSecond *float64 `json:"revoked_per_second,omitempty"`
	// LatencySeconds is the median time from request to public event. It is present
	// if something was revoked in the last seconds.
	LatencySeconds *float64 `json:"latency_seconds,omitempty"`
	Backlog        *backlog `json:"backlog,omitempty"`
	Failed         *int     `json:"failed,omitempty"` // dead letters
	Groups         []group  `json:"groups"`           // the largest groups of dead letters
	Targets        []target `json:"targets,omitempty"`
	JobsRunning    *int     `json:"jobs_running,omitempty"`
	// Progress is present while groups can be incomplete.
	Progress *progress `json:"progress,omitempty"`
}

// backlog counts pending messages.
type backlog struct {
	Messages      int     `json:"messages"`
	OldestSeconds float64 `json:"oldest_seconds"` // age
}

// target is a target, or (without a name) the store.
type target struct {
	Step        string      `json:"step"`
	Name        string      `json:"name,omitempty"`
	Configured  bool        `json:"configured"` // in the settings of this process
	Backlog     backlog     `json:"backlog"`
	Paused      bool        `json:"paused"`
	PausedSince events.Time `json:"paused_since,omitzero"`
	PausedCode  string      `json:"paused_code,omitempty"`
	// Refused reports that the target rejects logoutd's credentials.
	Refused bool `json:"refused"`
	// Disabled: it asked for no more deliveries; an operator enables it.
	Disabled       bool        `json:"disabled"`
	DisabledSince  events.Time `json:"disabled_since,omitzero"`
	DisabledReason string      `json:"disabled_reason,omitempty"`
}

func showTarget(t overview.Target) target {
	return target{
		Step: t.Step, Name: t.Name, Configured: t.Configured, Backlog: backlog{t.Pending, t.Oldest.Seconds()},
		Paused: t.Paused, PausedSince: events.At(t.PausedSince), PausedCode: t.PausedCode, Refused: t.Refused,
		Disabled: t.Disabled, DisabledSince: events.At(t.DisabledSince), DisabledReason: t.DisabledReason,
	}
}

func showSituation(s overview.Snapshot) situation {
	shown := situation{
		At: events.At(s.At), BrokerOK: s.BrokerOK, StoreOK: s.StoreOK, StoreTrouble: s.StoreTrouble, Notices: s.Notices, FiguresAt: events.At(s.FiguresAt),
		Groups: each(s.Groups, showGroup),
	}
	if !s.FiguresAt.IsZero() {
		shown.RevokedPerSecond, shown.Failed = &s.RevokedPerSecond, &s.Failed
		shown.Backlog = &backlog{s.BacklogMessages, s.BacklogOldest.Seconds()}
		shown.Targets = each(s.Targets, showTarget)
	}
	if s.JobsKnown {
		shown.JobsRunning = &s.Jobs
	}
	if s.AcceptedKnown {
		shown.AcceptedPerSecond = &s.AcceptedPerSecond
	}
	if s.LatencyKnown {
		seconds := s.LatencyMillis * time.Millisecond.Seconds()
		shown.LatencySeconds = &seconds
	}
	if p := s.Projection; !p.Ready {
		shown.Progress = &progress{p.Done, p.Total}
	}
	return shown
}

func (a *api) overview(http.ResponseWriter, *http.Request) (int, any, error) {
	now := a.Overview.Now()
	if now.At.IsZero() {
		return 0, nil, newProblem(http.StatusServiceUnavailable, "no measurements yet: try again in a second")
	}
	return http.StatusOK, showSituation(now), nil
}
