package console

import (
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/logoutd/logoutd/events"
)

// eventRow is a public event as a row of the live page.
type eventRow struct {
	Seq    uint64
	At     time.Time
	Mood   string // a class of the style sheet
	What   string
	Who    string
	Detail string
	Link   string // to details
	Label  string
}

// read returns the row of an event. An event of an unknown type shows its type.
func read(seq uint64, body []byte, stored time.Time) eventRow {
	var e events.Event[json.RawMessage]
	if json.Unmarshal(body, &e) != nil {
		return eventRow{Seq: seq, At: stored, What: "unreadable"}
	}
	h := eventRow{Seq: seq, At: e.Time.Time, What: e.Type}
	switch e.Type {
	case events.TypeFailed:
		h.failed(e.Data)
	case events.TypeRevoked("session"), events.TypeRevoked("user"), events.TypeRevoked("device"):
		h.revoked(e.Data)
	}
	return h
}

func (h *eventRow) revoked(data []byte) {
	var r events.Revoked
	if json.Unmarshal(data, &r) != nil {
		return
	}
	h.Mood, h.What, h.Who = "good", r.Scope+" revoked", user(r.TenantID, r.UserID)
	h.Detail = fmt.Sprintf("%s · %s · %s · took %s", r.Dialect, count(len(r.SessionIDs), "session", "sessions"),
		count(r.RefreshTokens, "refresh token", "refresh tokens"), long(r.CompletedAt.Sub(r.RequestedAt.Time)))
	if r.Reason != "" {
		h.Detail += " · " + r.Reason
	}
	h.Link, h.Label = "/console/search?request_id="+url.QueryEscape(r.RequestID), "Status"
}

func (h *eventRow) failed(data []byte) {
	var f events.Failed
	if json.Unmarshal(data, &f) != nil {
		return
	}
	h.Mood, h.What, h.Who = "bad", "revocation failed", user(f.TenantID, f.UserID)
	h.Detail = where(f.Step, f.Target) + " · " + f.Code + " · " + count(f.Attempts, "attempt", "attempts")
	h.Link, h.Label = "/console/failed/"+url.PathEscape(f.DeadLetterID), "Dead letter"
}
