package console

import (
	"errors"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
)

// letterPage is one failed revocation.
type letterPage struct {
	messages.DeadLetter
	Timeline []moments
	Push     *messages.PushRegistration // its push token is masked
	Bytes    int                        // of a message that could not be read
	Operator bool
	Now      time.Time
}

// moments is a line of a timeline. Mood is a class of the style sheet.
type moments struct {
	deadletters.Entry
	Mood string
}

func (c *console) letter(v *visit) (view, error) {
	letter, err := c.DeadLetters.Get(v.Context(), v.PathValue("id"))
	if errors.Is(err, broker.ErrUnavailable) {
		letter, err = c.remembered(v, err)
	}
	if err != nil {
		return view{}, err
	}
	p := letterPage{DeadLetter: letter, Bytes: len(letter.Message), Operator: v.Operator(), Now: time.Now().UTC()}
	p.Message = nil // may be anything
	for _, entry := range deadletters.Timeline(letter) {
		p.Timeline = append(p.Timeline, moments{entry, mood(entry.What)})
	}
	if letter.Task != nil {
		push := letter.Task.PushRegistration
		push.PushToken = mask(push.PushToken)
		p.Push, p.Task = &push, nil
		if p.Request == nil {
			p.Request = &letter.Task.Request
		}
	}
	return view{template: "letter", title: "Failed: " + where(letter.Step, letter.Target), section: "failed", data: p}, nil
}

// remembered returns what the projection has of a letter while the broker,
// which has the whole of it, is away.
func (c *console) remembered(v *visit, away error) (messages.DeadLetter, error) {
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

// mask leaves enough of a long token to recognise it by, and nothing of a
// short one.
func mask(token string) string {
	const ends, long = 4, 32
	if len(token) < long {
		return "…"
	}
	return token[:ends] + "…" + token[len(token)-ends:]
}
