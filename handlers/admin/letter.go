package admin

import "github.com/logoutd/logoutd/events"

// deadLetter is a dead letter as operators see it.
type deadLetter struct {
	ID            string          `json:"id"`
	Step          string          `json:"step"`
	Target        string          `json:"target,omitempty"`
	Code          string          `json:"code"`
	Error         string          `json:"error"`
	Attempts      int             `json:"attempts"`
	FirstFailedAt events.Time     `json:"first_failed_at"`
	LastFailedAt  events.Time     `json:"last_failed_at"`
	FailedAt      events.Time     `json:"failed_at"`
	Replays       int             `json:"replays"`
	Request       *events.Request `json:"request,omitempty"`
	// PushRegistration is there where a push provider was to be told; its
	// push token is masked.
	PushRegistration *events.PushRegistration `json:"push_registration,omitempty"`
	// Unreadable is there where the message could not be read.
	Unreadable *unreadable `json:"unreadable,omitempty"`
}

// unreadable describes a message without its content, which may be anything.
type unreadable struct {
	Subject string `json:"subject"`
	Bytes   int    `json:"bytes"`
	Hint    string `json:"hint"`
}

func show(d events.DeadLetter) deadLetter {
	shown := deadLetter{
		ID: d.ID, Step: d.Step, Target: d.Target, Code: d.Code, Error: d.Error, Attempts: d.Attempts,
		FirstFailedAt: d.FirstFailedAt, LastFailedAt: d.LastFailedAt, FailedAt: d.FailedAt,
		Replays: d.Replays, Request: d.Request,
	}
	if d.Task != nil {
		registration := d.Task.PushRegistration
		registration.PushToken = mask(registration.PushToken)
		shown.PushRegistration = &registration
		if d.Request == nil {
			shown.Request = &d.Task.Request
		}
	}
	if d.Subject != "" {
		shown.Unreadable = &unreadable{d.Subject, len(d.Message), "its content is not shown; a replay sends it again as it was"}
	}
	return shown
}

// mask leaves enough of a long token to recognise it by, and nothing of a
// short one.
func mask(token string) string {
	const ends, long = 4, 32
	if len(token) < long {
		return "…"
	}
	return token[:ends] + "…" + token[len(token)-ends:]
}
