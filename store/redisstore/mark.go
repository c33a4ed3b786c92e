package redisstore

import (
	"context"
	"slices"

	"github.com/logoutd/logoutd/store"
)

// mark marks a part of an index, and tells of what bears the mark.
func mark(_ context.Context, p *pipe, part *part) func() error {
	if part.lists == pushRegistrations {
		return markRegistrations(p, part)
	}
	if part.lists == sessions { // the one presented was told already
		part.ids = slices.DeleteFunc(part.ids, func(id string) bool { return id == part.SessionID })
	}
	if len(part.ids) == 0 {
		return nil
	}
	name := part.DeviceID
	if part.Scope == store.ScopeSession {
		name = part.SessionID
	}
	marked := p.each(markScript, part.recordKeys(), len(part.ids),
		part.RequestID, part.cutoff, max(part.cutoff, part.upTo), part.User.TenantID, part.User.ID, string(part.Scope), name)
	return func() error {
		expiries, err := marked.reply()
		for i := range expiries {
			switch at := expiries.number(i); {
			case at > 0:
				part.tell(part.ids[i], at)
			case at < 0:
				part.suspend(part.ids[i], nil)
			}
		}
		return err
	}
}

// tell tells of a session or refresh token that bears the mark.
func (p *part) tell(id string, expiry int64) {
	p.add(p.lists, id)
	p.tellExpiry(expiry)
	if p.lists == sessions {
		p.tellSession(id)
	} else {
		p.revoked.RefreshTokens++
	}
}

func markRegistrations(p *pipe, part *part) func() error {
	marked := make([]*result, len(part.ids))
	for i, key := range part.recordKeys() {
		marked[i] = p.each(pushMarkScript, []string{key},
			part.RequestID, max(part.cutoff, part.upTo), string(part.Scope), part.DeviceID, part.AppID, part.SessionID)
	}
	return func() error {
		for i, m := range marked {
			v, err := m.reply()
			if err != nil {
				return err
			}
			switch {
			case len(v) == 0:
			case v.number(0) == 0:
				part.suspend(part.ids[i], v)
			default:
				part.tellRegistration(part.ids[i], v)
			}
		}
		return nil
	}
}

func (p *part) tellRegistration(id string, v reply) {
	p.add(p.lists, id)
	p.revoked.PushRegistrations = append(p.revoked.PushRegistrations, store.PushRegistration{
		ID: id, User: p.User, RegisteredAt: fromMillis(v.number(0)),
		DeviceID: v.text(1), AppID: v.text(2), Provider: v.text(3), PushToken: v.text(4), SessionID: v.text(5),
	})
}
