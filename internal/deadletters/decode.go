package deadletters

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
)

// maxError is how much of an error is kept, in bytes.
const maxError = 500

// codeUnreadable stands in the place of a code where there is no dead letter
// of ours, as in package events.
const codeUnreadable = "unreadable"

// message is what is read of a message on the stream.
type message struct {
	SpecVersion string `json:"specversion"`
	ID          string `json:"id"`
	Type        string `json:"type"`
	Data        struct {
		Target        string      `json:"target"`
		Code          string      `json:"code"`
		Error         string      `json:"error"`
		Attempts      int         `json:"attempts"`
		Replays       int         `json:"replays"`
		FirstFailedAt events.Time `json:"first_failed_at"`
		FailedAt      events.Time `json:"failed_at"`
		Request       request     `json:"request"`
		Delivery      struct {
			Cutoff   events.Time `json:"cutoff"`
			AppID    string      `json:"app_id"`
			DeviceID string      `json:"device_id"`
		} `json:"delivery"`
	} `json:"data"`
}

type request struct {
	ID          string      `json:"id"`
	Dialect     string      `json:"dialect"`
	Scope       string      `json:"scope"`
	SessionID   string      `json:"session_id"`
	UserID      string      `json:"user_id"`
	TenantID    string      `json:"tenant_id"`
	AppID       string      `json:"app_id"`
	DeviceID    string      `json:"device_id"`
	RequestedAt events.Time `json:"requested_at"`
	Cutoff      events.Time `json:"cutoff"`
}

// decode reads a message that was stored at some time. If it is no dead letter of
// ours, its subject says what it stands for.
func decode(subject string, body []byte, stored time.Time) Letter {
	var m message
	err := json.Unmarshal(body, &m)
	if err == nil && (m.SpecVersion != "1.0" || m.Type != messages.TypeDeadLetter || m.ID == "") {
		err = fmt.Errorf("type %q of version %q and id %q is no dead letter", m.Type, m.SpecVersion, m.ID)
	}
	if err != nil {
		m = message{}
		m.Data.Code, m.Data.Error = codeUnreadable, "decoding event: "+err.Error()
		m.Data.FirstFailedAt = events.At(stored)
	}
	letter := m.letter()
	letter.Step, letter.ID = subjectParts(subject)
	if letter.FailedAt.IsZero() {
		letter.FailedAt = events.At(stored).Time
	}
	return letter
}

// subjectParts returns the step and the id in logout.failed.<step>.<id>.
func subjectParts(subject string) (step, id string) {
	parts := append(strings.SplitN(subject, ".", 4), "", "", "")
	return parts[2], parts[3]
}

func (m *message) letter() Letter {
	d, r, p := &m.Data, &m.Data.Request, &m.Data.Delivery
	return Letter{
		Target: d.Target, Code: d.Code, Error: shorten(d.Error), Attempts: d.Attempts, Replays: d.Replays,
		FirstFailedAt: d.FirstFailedAt.Time, FailedAt: d.FailedAt.Time, RequestedAt: r.RequestedAt.Time,
		Cutoff:    cutoffOf(p.Cutoff, r.Cutoff),
		RequestID: r.ID, Scope: r.Scope, Dialect: r.Dialect, TenantID: r.TenantID, UserID: r.UserID, SessionID: r.SessionID,
		AppID: cmp.Or(p.AppID, r.AppID), DeviceID: cmp.Or(p.DeviceID, r.DeviceID),
	}
}

// cutoffOf returns the cutoff of a delivery as it was applied, or else that of
// the request.
func cutoffOf(delivery, request events.Time) time.Time {
	if !delivery.IsZero() {
		return delivery.Time
	}
	return request.Time
}

func shorten(text string) string {
	if len(text) > maxError {
		return strings.ToValidUTF8(text[:maxError], "")
	}
	return text
}

// millis returns a time as it stands in the file.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// timeOf is the reverse of millis.
func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
