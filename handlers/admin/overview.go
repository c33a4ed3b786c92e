package admin

import (
	"net/http"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/overview"
)

// situation is what operators look at first.
type situation struct {
	At       events.Time `json:"at"`
	BrokerOK bool        `json:"broker_ok"`
	StoreOK  bool        `json:"store_ok"`
	// StoreTrouble is there where the store answers and refuses to write.
	StoreTrouble string `json:"store_trouble,omitempty"`
	// Notices are what has to be known of broker and store, though they work.
	Notices []string `json:"notices,omitempty"`
	// FiguresAt is when the broker last answered: earlier than At where the
	// figures are old.
	FiguresAt events.Time `json:"figures_at,omitzero"`
	// AcceptedPerSecond is there where this process accepts logouts.
	AcceptedPerSecond *float64 `json:"accepted_per_second,omitempty"`
	// What comes from the broker is there once it has answered.
	RevokedPerSecond *float64 `json:"revoked_per_second,omitempty"`
	// LatencySeconds is the median from request to public event; it is there
	// where something was revoked in the last seconds.
	LatencySeconds *float64 `json:"latency_seconds,omitempty"`
	Backlog        *backlog `json:"backlog,omitempty"`
	Failed         *int     `json:"failed,omitempty"` // dead letters
	Groups         []group  `json:"groups"`           // the largest of them
	Targets        []target `json:"targets,omitempty"`
	JobsRunning    *int     `json:"jobs_running,omitempty"`
	// Progress is there while groups may lack dead letters.
	Progress *progress `json:"progress,omitempty"`
}

// backlog is messages that are not done.
type backlog struct {
	Messages      int     `json:"messages"`
	OldestSeconds float64 `json:"oldest_seconds"` // age
}

// target is an outside system, or (without a name) the store's part.
type target struct {
	Step        string      `json:"step"`
	Name        string      `json:"name,omitempty"`
	Configured  bool        `json:"configured"` // in the settings of this process
	Backlog     backlog     `json:"backlog"`
	Paused      bool        `json:"paused"`
	PausedSince events.Time `json:"paused_since,omitzero"`
	PausedCode  string      `json:"paused_code,omitempty"`
	// Refused: it does not accept the credentials of logoutd.
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
		return 0, nil, newProblem(http.StatusServiceUnavailable, "nothing was measured yet: try the same again later")
	}
	return http.StatusOK, showSituation(now), nil
}
