package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/deadletters"
)

// auditPage is the audit log.
type auditPage struct {
	By, Action, JobID, From, To string
	Actions                     []string
	Faults                      map[string]string
	Entries                     []audit.Entry
	NextPage                    string
	Filtered, Later             bool
	Unknown                     bool // the log could not be read
	Now                         time.Time
}

// listed are the actions in the filter.
var listed = []string{
	audit.ActionLogin, audit.ActionLogout, audit.ActionSessionEnd, audit.ActionRefused, audit.ActionReplayStart, audit.ActionDiscardStart, audit.ActionRevokeStart, audit.ActionJobPause, audit.ActionJobResume,
	audit.ActionJobCancel, audit.ActionJobFinish, audit.ActionRevocationCreate, audit.ActionTokenCreate, audit.ActionTokenRevoke,
	audit.ActionSubscriberCreate, audit.ActionSubscriberRevoke, audit.ActionDamageAcknowledge,
	audit.ActionTargetEnable, audit.ActionTargetDiscard, audit.ActionTargetMove,
}

func (c *console) audit(v *visit) (view, error) {
	asked, now := v.URL.Query(), time.Now().UTC()
	get := func(name string) string { return strings.TrimSpace(asked.Get(name)) }
	p := auditPage{
		By: get("by"), Action: get("action"), JobID: get("job_id"), From: get("from"), To: get("to"),
		Actions: listed, Faults: map[string]string{}, Later: asked.Has("after"), Now: now,
	}
	p.Filtered = p.By+p.Action+p.JobID+p.From+p.To != ""
	if p.Action != "" && !slices.Contains(listed, p.Action) {
		p.Actions = append(slices.Clone(listed), p.Action)
	}
	shown := view{template: "audit", title: "Audit log", section: "audit"}
	filter := p.filter(now)
	if len(p.Faults) > 0 {
		shown.status, shown.data = http.StatusBadRequest, p
		return shown, nil
	}
	entries, next, err := c.Audit.List(v.Context(), filter, asked.Get("after"), pageSize)
	if errors.Is(err, audit.ErrCursor) {
		return view{}, &fault{http.StatusBadRequest, "Invalid page of the audit log", "Start from the newest entry."}
	}
	if err != nil {
		v.missing(c, "The audit log", err)
		p.Unknown = true
	}
	p.Entries, p.NextPage = entries, nextPage("/console/audit", asked, next)
	shown.data = p
	return shown, nil
}

func (p *auditPage) filter(now time.Time) audit.Filter {
	filter := audit.Filter{By: p.By, Action: p.Action, JobID: p.JobID}
	for name, field := range map[string]struct {
		text string
		at   *time.Time
	}{"from": {p.From, &filter.From}, "to": {p.To, &filter.To}} {
		if field.text == "" {
			continue
		}
		at, err := deadletters.ParseTime(field.text, now)
		if *field.at = at; err != nil {
			p.Faults[name] = err.Error()
		}
	}
	return filter
}

// nextPage returns the URL of the page after the cursor next; empty at the end.
func nextPage(path string, asked url.Values, next string) string {
	if next == "" {
		return ""
	}
	asked.Set("after", next)
	return path + "?" + asked.Encode()
}
