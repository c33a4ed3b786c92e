package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/audit"
)

// actTimeout bounds an operator's action.
const actTimeout = 10 * time.Second

// recordTimeout bounds the retries to record an action.
const recordTimeout = 15 * time.Second

// act performs an operator's action, then records it in the audit log: after it
// took effect, so that the log has no action that never happened, and before the
// answer, so that no success is unrecorded. It continues if the caller hangs up.
// If the process dies in between, or the broker's answer is lost, the action
// itself is the trace: the request or job has its reason, the token its creator.
func (a *api) act(r *http.Request, do func(context.Context) (audit.Entry, error)) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), actTimeout)
	defer cancel()
	entry, err := do(ctx)
	if err != nil {
		return err
	}
	return a.record(r, entry)
}

// record records an entry in the audit log. The broker has just accepted the
// action, so it usually accepts the entry too. If not, the caller gets a special
// error, and this server logs the entry.
func (a *api) record(r *http.Request, e audit.Entry) error {
	e.By, e.Address = callerOf(r), a.Proxies.Client(r).String()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), a.recordFor)
	defer cancel()
	err := a.Audit.Record(ctx, e)
	if err == nil {
		return nil
	}
	a.Logger.Error("recording an operator's action in the audit log failed", "action", e.Action, "by", e.By, "reason", e.Reason,
		"job_id", e.JobID, "selection", string(e.Selection), "err", err)
	p := newProblem(http.StatusInternalServerError,
		"the action was done, but could not be recorded in the audit log: do not repeat it; the log of this server has the entry")
	p.Type, p.JobID, p.logged = typeUnaudited, e.JobID, true
	return p
}

// subject encodes what an action was about for its audit entry.
func subject(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers: never fails
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
