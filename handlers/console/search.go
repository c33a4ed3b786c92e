package console

import (
	"strings"
	"time"

	"github.com/logoutd/logoutd/internal/status"
)

// searchPage answers whether somebody really got logged out.
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
		who = "What this logout covers"
	case p.Session == "":
		who = "The user"
	}
	switch found.State {
	case status.Revoked:
		if !found.Told {
			return answer{"warn", "Logged out; not everything is known", who + " is logged out. Whether every target was told is not known: see below why."}
		}
		return answer{"good", "Yes: logged out", who + " is logged out, and no target has still to be told."}
	case status.Active:
		if len(found.NotAsked) > 0 {
			return answer{"info", "No: still logged in", who + " has something live. Whether a logout is on its way is not known: see below why."}
		}
		return answer{"info", "No: still logged in", who + " has something live, and no logout is on its way."}
	case status.Pending:
		return answer{"warn", "Accepted, not done yet", "What has still to be done, and by whom, stands below. Checks already call the session dead where it was fenced. Reload to see it done."}
	case status.Failed:
		return answer{"bad", "Not completely", "A part of the logout was given up and waits for an operator: see the failed revocations below."}
	case status.Expired:
		return answer{"", "Ended by itself", who + " expired without a logout."}
	case status.Unknown:
		if len(found.NotAsked) > 0 {
			return answer{"warn", "Not known now", "Nothing was found, but not everything could be asked: " + strings.Join(found.NotAsked, " and ") + "."}
		}
		fallthrough
	default:
		return answer{"", "Nothing is known", "There is no trace of it: it was never registered here, or it is longer ago than traces are kept."}
	}
}
