package console

import (
	"errors"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
)

// letterPage shows one dead letter.
type letterPage struct {
	messages.DeadLetter
	Timeline []moments
	Details  []messages.Detail // of a delivery, without credentials
	Bytes    int               // size of an unreadable message
	Operator bool
	Now      time.Time
}

// moments is one line of a timeline. Mood is a class of the style sheet.
type moments struct {
	deadletters.Entry
	Mood string
}

func (c *console) letter(v *visit) (view, error) {
	letter, err := c.DeadLetters.Get(v.Context(), v.PathValue("id"))
	if errors.Is(err, broker.ErrUnavailable) {
		letter, err = c.fromIndex(v, err)
	}
	if err != nil {
		return view{}, err
	}
	p := letterPage{DeadLetter: letter, Bytes: len(letter.Message), Operator: v.Operator(), Now: time.Now().UTC()}
	p.Message = nil // can contain anything, even credentials
	for _, entry := range deadletters.Timeline(letter) {
		p.Timeline = append(p.Timeline, moments{entry, mood(entry.What)})
	}
	if letter.Delivery != nil {
		if c.Describe != nil {
			p.Details = c.Describe(letter.Delivery.Kind, letter.Delivery.Payload)
		}
		p.Delivery = nil
		if p.Request == nil {
			p.Request = &letter.Delivery.Request
		}
	}
	return view{template: "letter", title: "Failed: " + where(letter.Step, letter.Target), section: "failed", data: p}, nil
}

// fromIndex returns the part of a dead letter that the index has, while the
// broker, which has all of it, is unavailable.
func (c *console) fromIndex(v *visit, away error) (messages.DeadLetter, error) {
	found, err := c.Letters.ByIDs(v.Context(), []string{v.PathValue("id")})
	if err != nil || len(found) == 0 {
		return messages.DeadLetter{}, away
	}
	v.missing(c, "The timeline", away)
	l := found[0]
	return messages.DeadLetter{
		ID: l.ID, Step: l.Step, Target: l.Target, Code: l.Code, Error: l.Error, Attempts: l.Attempts, Replays: l.Replays,
		FirstFailedAt: events.At(l.FirstFailedAt), FailedAt: events.At(l.FailedAt),
		Request: &messages.Request{
			ID: l.RequestID, Scope: l.Scope, Dialect: l.Dialect, TenantID: l.TenantID, UserID: l.UserID, AppID: l.AppID,
			DeviceID: l.DeviceID, SessionID: l.SessionID, RequestedAt: events.At(l.RequestedAt),
		},
	}, nil
}

func mood(what string) string {
	switch what {
	case "failed attempt", "given up":
		return "bad"
	case "replayed":
		return "info"
	default:
		return "good"
	}
}
