package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/audit"
)

// actTimeout is how long the broker has to take what an operator does.
const actTimeout = 10 * time.Second

// recordTimeout is how long it is tried to record what was done.
const recordTimeout = 15 * time.Second

// act does what an operator answers for, then puts it on the audit log: after
// it took effect, so that nothing stands there that never was, and before it
// is answered, so that nobody is told of a success that is not recorded. It
// goes on when the caller hangs up. A process that dies in between, and a
// broker that does not say whether it did what it was asked, leave the traces
// of the action itself: the request or the job with its reason, the token with
// its creator.
func (a *api) act(r *http.Request, do func(context.Context) (audit.Entry, error)) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), actTimeout)
	defer cancel()
	entry, err := do(ctx)
	if err != nil {
		return err
	}
	return a.record(r, entry)
}

// record puts an entry on the log. The broker has just taken the action, so it
// mostly takes the entry too. If it does not, the caller gets an error of its
// own, and the log of this server the entry.
func (a *api) record(r *http.Request, e audit.Entry) error {
	e.By, e.Address = callerOf(r), a.Proxies.Client(r).String()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), a.recordFor)
	defer cancel()
	err := a.Audit.Record(ctx, e)
	if err == nil {
		return nil
	}
	a.Logger.Error("operator's action is not in the audit log", "action", e.Action, "by", e.By, "reason", e.Reason,
		"job_id", e.JobID, "selection", string(e.Selection), "err", err)
	p := newProblem(http.StatusInternalServerError,
		"it was done, but it is missing in the audit log, which could not be written: do not repeat it; the log of this server has the entry")
	p.Type, p.JobID, p.logged = typeUnaudited, e.JobID, true
	return p
}

// subject returns what an action was about, for its entry.
func subject(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // it is made of strings
	}
	return raw
}

// auditEntry is an entry of the audit log.
type auditEntry struct {
	ID        string          `json:"id"`
	At        events.Time     `json:"at"`
	By        string          `json:"by"`
	Action    string          `json:"action"`
	Address   string          `json:"address,omitempty"`
	Reason    string          `json:"reason,omitempty"`
	JobID     string          `json:"job_id,omitempty"`
	Selection json.RawMessage `json:"selection,omitempty"`
	Counts    map[string]int  `json:"counts,omitempty"`
}

func showAudit(e audit.Entry) auditEntry {
	return auditEntry{e.ID, events.At(e.At), e.By, e.Action, e.Address, e.Reason, e.JobID, e.Selection, e.Counts}
}

// listAudit answers with a page of the audit log, newest first.
func (a *api) listAudit(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	o, err := query(r)
	if err != nil {
		return 0, nil, err
	}
	filter := audit.Filter{
		By: o.optional("by", maxID), Action: o.optional("action", maxID), JobID: o.optional("job_id", maxID),
		From: o.time("from"), To: o.time("to"),
	}
	after, limit := o.optional("after", maxID), o.limit()
	if err := o.done(); err != nil {
		return 0, nil, err
	}
	entries, next, err := a.Audit.List(r.Context(), filter, after, limit)
	return http.StatusOK, struct {
		Audit []auditEntry `json:"audit"`
		Next  string       `json:"next,omitempty"`
	}{each(entries, showAudit), next}, err
}
