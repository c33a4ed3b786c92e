package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// dialect names this API in the events of its requests.
const dialect = "admin"

// fenceTimeout bounds the fence of a revocation; after that a worker fences.
const fenceTimeout = time.Second

// maxReason is in bytes.
const maxReason = 256

// revoke accepts a revocation: it is fenced if the store answers in time, and on
// the broker's disk in any case.
func (a *api) revoke(w http.ResponseWriter, r *http.Request) (int, any, error) {
	o, err := body(w, r)
	if err != nil {
		return 0, nil, err
	}
	request, err := readRevocation(o)
	if err != nil {
		return 0, nil, err
	}
	request.TraceParent = traceParent(r.Header)
	err = a.act(r, func(ctx context.Context) (audit.Entry, error) {
		err := a.accept(ctx, &request)
		return audit.Entry{Action: audit.ActionRevocationCreate, Reason: request.Reason, Selection: revoked(request)}, err
	})
	return http.StatusAccepted, struct {
		ID string `json:"id"`
	}{request.ID}, err
}

// accept completes and publishes a request.
func (a *api) accept(ctx context.Context, request *messages.Request) error {
	if err := a.fence(ctx, request); err != nil {
		return err
	}
	return a.Publisher.Requests(ctx, *request)
}

// revoked encodes what a request revokes, for the audit log.
func revoked(r messages.Request) json.RawMessage {
	return subject(struct {
		RequestID string `json:"request_id"`
		Scope     string `json:"scope"`
		SessionID string `json:"session_id,omitempty"`
		UserID    string `json:"user_id,omitempty"`
		TenantID  string `json:"tenant_id,omitempty"`
		DeviceID  string `json:"device_id,omitempty"`
	}{r.ID, r.Scope, r.SessionID, r.UserID, r.TenantID, r.DeviceID})
}

func readRevocation(o *object) (messages.Request, error) {
	now := events.At(time.Now())
	request := messages.Request{
		ID: messages.NewID(), Dialect: dialect, Initiator: messages.InitiatorAdmin,
		Reason: o.optional("reason", maxReason), RequestedAt: now,
	}
	if o.has("session_token") || o.has("session_id") {
		request.SessionID = o.session()
	}
	request.UserID, request.TenantID = o.optional("user_id", maxID), o.optional("tenant_id", maxID)
	request.DeviceID, request.AppID = o.optional("device_id", maxID), o.optional("app_id", maxID)
	scope, fault := scopeOf(request)
	if fault != nil {
		o.refuse(fault.Field, "%s", fault.Detail)
	}
	request.Scope = string(scope)
	return request, o.done()
}

// scopeOf refuses a request that would revoke more than it names, or that names
// nothing.
func scopeOf(r messages.Request) (store.Scope, *problem) {
	switch {
	case r.SessionID != "" && r.UserID+r.TenantID+r.DeviceID+r.AppID != "":
		return "", invalid("user_id", "set either a session, or a user with user_id, tenant_id and device_id, not both")
	case r.SessionID != "":
		return store.ScopeSession, nil
	case r.AppID != "":
		return "", invalid("app_id", "use POST /v1/revocations/bulk for a whole app; set a session or a user here")
	case r.UserID != "" && r.DeviceID != "":
		return store.ScopeDevice, nil
	case r.UserID != "":
		return store.ScopeUser, nil
	case r.TenantID != "" && r.DeviceID == "":
		return "", invalid("tenant_id", "use POST /v1/revocations/bulk for a whole tenant; set a session or a user_id here")
	default:
		return "", invalid("user_id", "one of session_token, session_id and user_id is required")
	}
}

// fence fences the request and completes it with the session's data. If the
// store does not answer, a worker does both.
func (a *api) fence(ctx context.Context, request *messages.Request) error {
	ctx, cancel := context.WithTimeout(ctx, fenceTimeout)
	defer cancel()
	results, err := a.Store.Fence(ctx, []store.Fence{{
		RequestID: request.ID, SessionID: request.SessionID, DeviceID: request.DeviceID,
		User: store.User{TenantID: request.TenantID, ID: request.UserID},
	}})
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		a.Logger.Warn("revocation was not fenced: it takes effect when a worker processes it",
			"request_id", request.ID, "session_id", request.SessionID, "user_id", request.UserID, "err", err)
		return nil
	}
	return a.complete(request, results[0])
}

func (a *api) complete(request *messages.Request, fenced store.Fenced) error {
	request.Fenced = !fenced.Cutoff.IsZero()
	switch {
	case fenced.Outcome == store.FenceUnknown && a.PublishUnknown:
	case fenced.Outcome == store.FenceUnknown:
		return newProblem(http.StatusNotFound, "unknown session")
	case request.SessionID != "":
		request.Fenced = copySession(request, fenced.Session)
	}
	request.Cutoff = events.At(fenced.Cutoff)
	return nil
}

// copySession copies the session's ids to the request, and reports whether it
// could. Ids that a login service wrote to the store directly can be invalid
// UTF-8, which JSON cannot carry; then the worker reads them from the store.
func copySession(request *messages.Request, s store.Session) bool {
	for _, id := range []string{s.User.ID, s.User.TenantID, s.DeviceID, s.AppID} {
		if !utf8.ValidString(id) {
			return false
		}
	}
	request.UserID, request.TenantID = s.User.ID, s.User.TenantID
	request.DeviceID, request.AppID = s.DeviceID, s.AppID
	request.AuthenticatedAt = events.At(s.AuthenticatedAt)
	return true
}
