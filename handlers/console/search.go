package console

import (
	"strings"
	"time"

	"github.com/logoutd/logoutd/internal/status"
)

// searchPage shows whether a user, session or logout is really logged out.
type searchPage struct {
	User, Tenant, Session, Request string
	Asked                          bool
	Found                          *status.Status
	Answer                         answer
	Now                            time.Time
}

// answer is a state in words. Mood is a class of the style sheet.
type answer struct {
	Mood, Words, More string
}

func (c *console) search(v *visit) (view, error) {
	asked := v.URL.Query()
	get := func(name string) string { return strings.TrimSpace(asked.Get(name)) }
	p := searchPage{
		User: get("user_id"), Tenant: get("tenant_id"), Session: get("session_id"), Request: get("request_id"), Now: time.Now().UTC(),
	}
	p.Asked = p.User+p.Session+p.Request != ""
	if p.Asked {
		if found, err := c.find(v, p); err != nil {
			v.missing(c, "The answer", err)
		} else {
			p.Found, p.Answer = &found, answerOf(found, p)
		}
	}
	return view{template: "search", title: "Search", section: "search", data: p}, nil
}

func (c *console) find(v *visit, p searchPage) (status.Status, error) {
	switch {
	case p.Session != "":
		return c.Status.Session(v.Context(), p.Session)
	case p.Request != "":
		return c.Status.Request(v.Context(), p.Request)
	default:
		return c.Status.User(v.Context(), p.Tenant, p.User)
	}
}

func answerOf(found status.Status, p searchPage) answer {
	who := "The session"
	switch {
	case p.Session == "" && p.Request != "":
		who = "Everything this logout covers"
	case p.Session == "":
		who = "The user"
	}
	switch found.State {
	case status.Revoked:
		if !found.Told {
			return answer{"warn", "Logged out; deliveries unknown", who + " is logged out. Whether every target was told is unknown: see the reason below."}
		}
		return answer{"good", "Yes: logged out", who + " is logged out, and no delivery is pending."}
	case status.Active:
		if len(found.NotAsked) > 0 {
			return answer{"info", "No: still logged in", who + " is still active. Whether a logout is pending is unknown: see the reason below."}
		}
		return answer{"info", "No: still logged in", who + " is still active, and no logout is pending."}
	case status.Pending:
		return answer{"warn", "Accepted, not done yet", "The pending work is listed below. If the session was fenced, checks already report it as revoked. Reload to see progress."}
	case status.Failed:
		return answer{"bad", "Not completely", "A part of the logout failed and needs an operator: see the failed revocations below."}
	case status.Expired:
		return answer{"", "Expired", who + " expired without a logout."}
	case status.Unknown:
		if len(found.NotAsked) > 0 {
			return answer{"warn", "Unknown", "Nothing was found, but these could not be reached: " + strings.Join(found.NotAsked, " and ") + "."}
		}
		fallthrough
	default:
		return answer{"", "Not found", "It was never registered here, or its records have expired."}
	}
}
