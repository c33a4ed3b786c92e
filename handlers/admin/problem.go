package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/store"
)

// Types of problems (RFC 9457, section 3.1.1) that programs can distinguish.
const (
	typeBlank     = "about:blank"          // the status is enough
	typeField     = "/problems/field"      // one field is at fault
	typeRole      = "/problems/role"       // the token's role is not enough
	typeRevoked   = "/problems/revoked"    // the credential is already revoked
	typeOtherUser = "/problems/other-user" // the credential belongs to another user
	typePlan      = "/problems/plan"       // the dry run has expired: repeat it
	typeStarted   = "/problems/started"    // the dry run was already started
	typeJobState  = "/problems/job-state"  // the job's state does not allow it
	typeExists    = "/problems/exists"     // the name is taken
	typeUnaudited = "/problems/unaudited"  // done, but not recorded in the audit log
)

// retryAfter is how many seconds a caller waits after a 503.
const retryAfter = "5"

// throttledFor is how many seconds a caller waits after a 429.
var throttledFor = fmt.Sprint(access.ThrottledFor.Seconds())

// problem is an error as the caller sees it (RFC 9457).
type problem struct {
	Type   string      `json:"type"`
	Title  string      `json:"title"`
	Status int         `json:"status"`
	Detail string      `json:"detail"` // says what to do
	Field  string      `json:"field,omitempty"`
	Cutoff events.Time `json:"cutoff,omitzero"`
	Role   access.Role `json:"role,omitempty"`   // the required role
	JobID  string      `json:"job_id,omitempty"` // the job that was started

	challenge string // WWW-Authenticate
	cause     error  // only for the log
	logged    bool   // the cause was already logged
}

func newProblem(status int, detail string) *problem {
	return &problem{Type: typeBlank, Title: http.StatusText(status), Status: status, Detail: detail}
}

// invalid refuses a field of a request. The detail must not quote the value of
// the field, which can be a credential.
func invalid(field, format string, args ...any) *problem {
	p := newProblem(http.StatusBadRequest, fmt.Sprintf(format, args...))
	p.Type, p.Field = typeField, field
	return p
}

// Error implements error.
func (p *problem) Error() string {
	if p.Field != "" {
		return p.Field + ": " + p.Detail
	}
	return p.Detail
}

// problemOf maps every error to a problem. Only problemOf and refusals do so.
func problemOf(err error) *problem {
	var p *problem
	var revoked *store.RevokedError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &revoked):
		p = newProblem(http.StatusConflict,
			"the credential has ended, or is not newer than the cutoff of a logout: the user must log in again")
		p.Type, p.Cutoff = typeRevoked, events.At(revoked.Cutoff)
	default:
		p = refused(err)
	}
	if p == nil {
		p = newProblem(http.StatusInternalServerError, "internal error; see the log of this server")
	}
	p.cause = err
	return p
}

// fail answers with a problem, and logs internal failures once.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	a.logFailure(r, p)
	writeProblem(w, p, p)
}

func (a *api) logFailure(r *http.Request, p *problem) {
	if p.Status < http.StatusInternalServerError || p.logged || r.Context().Err() != nil || errors.Is(p.cause, context.Canceled) {
		return
	}
	attrs := []any{"call", r.Pattern, "by", callerOf(r), "status", p.Status, "err", p.cause}
	if errors.Is(p.cause, broker.ErrUnavailable) {
		broker.LogFailure(r.Context(), a.Logger, a.JetStream, "admin call failed", attrs...)
		return
	}
	a.Logger.Error("admin call failed", attrs...)
}

// writeProblem writes document, which is p or p with more members.
func writeProblem(w http.ResponseWriter, p *problem, document any) {
	if p.challenge != "" {
		w.Header().Set("WWW-Authenticate", p.challenge)
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	if p.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", throttledFor)
	}
	write(w, p.Status, "application/problem+json", document)
}

// answer writes v as JSON.
func answer(w http.ResponseWriter, status int, v any) { write(w, status, "application/json", v) }

// write ignores a failure: the caller has disconnected.
func write(w http.ResponseWriter, status int, contentType string, v any) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
