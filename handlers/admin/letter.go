package admin

import (
	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
)

// maxLetterID is in bytes: a request id, an underscore and a registration id.
const maxLetterID = 512

// letter is a dead letter in a list.
type letter struct {
	ID            string      `json:"id"`
	Step          string      `json:"step"`
	Target        string      `json:"target,omitempty"`
	Code          string      `json:"code"`
	Error         string      `json:"error"`
	Attempts      int         `json:"attempts"`
	Replays       int         `json:"replays"`
	FirstFailedAt events.Time `json:"first_failed_at,omitzero"`
	FailedAt      events.Time `json:"failed_at"`
	RequestedAt   events.Time `json:"requested_at,omitzero"`
	RequestID     string      `json:"request_id,omitempty"`
	Scope         string      `json:"scope,omitempty"`
	Dialect       string      `json:"dialect,omitempty"`
	TenantID      string      `json:"tenant_id,omitempty"`
	AppID         string      `json:"app_id,omitempty"`
	UserID        string      `json:"user_id,omitempty"`
	DeviceID      string      `json:"device_id,omitempty"`
	SessionID     string      `json:"session_id,omitempty"`
}

func showLetter(l deadletters.Letter) letter {
	return letter{
		ID: l.ID, Step: l.Step, Target: l.Target, Code: l.Code, Error: l.Error, Attempts: l.Attempts, Replays: l.Replays,
		FirstFailedAt: events.At(l.FirstFailedAt), FailedAt: events.At(l.FailedAt), RequestedAt: events.At(l.RequestedAt),
		RequestID: l.RequestID, Scope: l.Scope, Dialect: l.Dialect, TenantID: l.TenantID, AppID: l.AppID,
		UserID: l.UserID, DeviceID: l.DeviceID, SessionID: l.SessionID,
	}
}

// deadLetter is a complete dead letter.
type deadLetter struct {
	ID            string            `json:"id"`
	Step          string            `json:"step"`
	Target        string            `json:"target,omitempty"`
	Code          string            `json:"code"`
	Error         string            `json:"error"`
	Answer        string            `json:"answer,omitempty"` // answer of the target to the last attempt
	Attempts      int               `json:"attempts"`
	FirstFailedAt events.Time       `json:"first_failed_at"`
	LastFailedAt  events.Time       `json:"last_failed_at"`
	FailedAt      events.Time       `json:"failed_at"`
	Replays       int               `json:"replays"`
	Request       *messages.Request `json:"request,omitempty"`
	// Details are the details of a delivery, defined by the kind of target.
	Details []messages.Detail `json:"details,omitempty"`
	// Unreadable is present if the message could not be read.
	Unreadable *unreadable `json:"unreadable,omitempty"`
	Timeline   []entry     `json:"timeline"` // in order of time
}

// unreadable describes a message without its content, which could be anything.
type unreadable struct {
	Subject string `json:"subject"`
	Bytes   int    `json:"bytes"`
	Hint    string `json:"hint"`
}

// entry is one entry of a dead letter's timeline.
type entry struct {
	At       events.Time `json:"at"`
	What     string      `json:"what"`
	Detail   string      `json:"detail,omitempty"`
	Code     string      `json:"code,omitempty"`
	By       string      `json:"by,omitempty"`
	Attempts int         `json:"attempts,omitempty"`
}

func showEntry(e deadletters.Entry) entry {
	return entry{events.At(e.At), e.What, e.Detail, e.Code, e.By, e.Attempts}
}

func (a *api) show(d messages.DeadLetter) deadLetter {
	shown := deadLetter{
		ID: d.ID, Step: d.Step, Target: d.Target, Code: d.Code, Error: d.Error, Answer: d.Answer, Attempts: d.Attempts,
		FirstFailedAt: d.FirstFailedAt, LastFailedAt: d.LastFailedAt, FailedAt: d.FailedAt,
		Replays: d.Replays, Timeline: each(deadletters.Timeline(d), showEntry),
	}
	request := d.Request
	if d.Delivery != nil {
		if a.Describe != nil {
			shown.Details = a.Describe(d.Delivery.Kind, d.Delivery.Payload)
		}
		if request == nil {
			request = &d.Delivery.Request
		}
	}
	if request != nil {
		bare := *request
		bare.History = messages.History{} // shown in the timeline
		shown.Request = &bare
	}
	if d.Subject != "" {
		shown.Unreadable = &unreadable{d.Subject, len(d.Message), "the content is not shown; a replay sends the message again unchanged"}
	}
	return shown
}
