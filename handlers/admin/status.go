package admin

import (
	"net/http"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/outcomes"
	"github.com/logoutd/logoutd/internal/status"
)

// statusOf is the status of a logout, a session or a user.
type statusOf struct {
	State       status.State    `json:"state"`
	RequestID   string          `json:"request_id,omitempty"`
	Scope       string          `json:"scope,omitempty"`
	Dialect     string          `json:"dialect,omitempty"`
	Reason      string          `json:"reason,omitempty"`
	TenantID    string          `json:"tenant_id,omitempty"`
	UserID      string          `json:"user_id,omitempty"`
	DeviceID    string          `json:"device_id,omitempty"`
	AppID       string          `json:"app_id,omitempty"`
	SessionID   string          `json:"session_id,omitempty"`
	RequestedAt events.Time     `json:"requested_at,omitzero"`
	RevokedAt   events.Time     `json:"revoked_at,omitzero"`
	Cutoff      events.Time     `json:"cutoff,omitzero"`
	Sessions    []sessionStatus `json:"sessions"`
	Failed      []letter        `json:"failed"`          // related dead letters
	Event       *events.Revoked `json:"event,omitempty"` // its public event
	// Waiting are the targets with pending deliveries. DeliveriesKnown reports that
	// this list is complete.
	Waiting         []waiting `json:"waiting"`
	DeliveriesKnown bool      `json:"deliveries_known"`
	// NotAsked lists what could not be reached: store, broker. The state unknown is
	// then not certain.
	NotAsked []string `json:"not_asked,omitempty"`
	// Note explains what the state is based on, and what it does not cover.
	Note string `json:"note,omitempty"`
}

// waiting is a target with pending deliveries.
type waiting struct {
	Step        string      `json:"step"`
	Target      string      `json:"target"`
	Deliveries  int         `json:"deliveries"`
	Paused      bool        `json:"paused"`
	PausedSince events.Time `json:"paused_since,omitzero"`
	PausedCode  string      `json:"paused_code,omitempty"`
	Served      bool        `json:"served"` // a worker has served it at least once
}

func showWaiting(w outcomes.Waiting) waiting {
	shown := waiting{Step: w.Kind, Target: w.Target, Deliveries: w.Deliveries, Paused: w.Paused != nil, Served: w.Served}
	if w.Paused != nil {
		shown.PausedSince, shown.PausedCode = w.Paused.Since, w.Paused.Code
	}
	return shown
}

type sessionStatus struct {
	SessionID       string      `json:"session_id"`
	Active          bool        `json:"active"`
	DeviceID        string      `json:"device_id,omitempty"`
	AppID           string      `json:"app_id,omitempty"`
	AuthenticatedAt events.Time `json:"authenticated_at,omitzero"`
	ExpiresAt       events.Time `json:"expires_at,omitzero"`
	EndedAt         events.Time `json:"ended_at,omitzero"`
	RevokedBy       string      `json:"revoked_by,omitempty"` // id of a logout request
}

func showStatus(s status.Status) statusOf {
	return statusOf{
		State: s.State, RequestID: s.RequestID, Scope: s.Scope, Dialect: s.Dialect, Reason: s.Reason,
		TenantID: s.TenantID, UserID: s.UserID, DeviceID: s.DeviceID, AppID: s.AppID, SessionID: s.SessionID,
		RequestedAt: events.At(s.RequestedAt), RevokedAt: events.At(s.RevokedAt), Cutoff: events.At(s.Cutoff),
		Sessions: each(s.Sessions, showSession), Failed: each(s.Failed, showLetter), Event: s.Event,
		Waiting: each(s.Waiting, showWaiting), DeliveriesKnown: s.DeliveriesKnown, NotAsked: s.NotAsked, Note: s.Note,
	}
}

func showSession(s status.SessionStatus) sessionStatus {
	return sessionStatus{
		SessionID: s.SessionID, Active: s.Active, DeviceID: s.DeviceID, AppID: s.AppID,
		AuthenticatedAt: events.At(s.AuthenticatedAt), ExpiresAt: events.At(s.ExpiresAt), EndedAt: events.At(s.EndedAt),
		RevokedBy: s.RevokedBy,
	}
}

// showRevocation answers with the status of a logout request. An unknown request
// has the state unknown, with status 200.
func (a *api) showRevocation(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	found, err := a.Status.Request(r.Context(), r.PathValue("id"))
	return http.StatusOK, showStatus(found), err
}

// search answers with the status of a session or a user.
func (a *api) search(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	o, err := query(r)
	if err != nil {
		return 0, nil, err
	}
	if o.has("session_id") == (o.has("user_id") || o.has("tenant_id")) {
		o.refuse("user_id", "set either session_id, or user_id and tenant_id")
	}
	session, user := o.sessionID(), o.optional("user_id", maxID)
	tenant := o.optional("tenant_id", maxID)
	if session == "" && user == "" {
		o.refuse("user_id", "is required")
	}
	if err := o.done(); err != nil {
		return 0, nil, err
	}
	find := func() (status.Status, error) { return a.Status.User(r.Context(), tenant, user) }
	if session != "" {
		find = func() (status.Status, error) { return a.Status.Session(r.Context(), session) }
	}
	found, err := find()
	return http.StatusOK, showStatus(found), err
}
