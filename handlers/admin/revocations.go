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

// dialect is what the requests of this API are called in events.
const dialect = "admin"

// fenceTimeout is how long the store has to make a revocation take effect in
// checks; then a worker does it.
const fenceTimeout = time.Second

// maxReason is in bytes.
const maxReason = 256

// revoke accepts a revocation: fenced where the store answers, and on disk at
// the broker in any case.
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

// revoked returns whom a request concerns, for the audit log.
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

// scopeOf refuses what would revoke more than it names, or names nothing.
func scopeOf(r messages.Request) (store.Scope, *problem) {
	switch {
	case r.SessionID != "" && r.UserID+r.TenantID+r.DeviceID+r.AppID != "":
		return "", invalid("user_id", "name a session, or a user by user_id, tenant_id and device_id, not both")
	case r.SessionID != "":
		return store.ScopeSession, nil
	case r.AppID != "":
		return "", invalid("app_id", "a whole app is POST /v1/revocations/bulk; name a session or a user here")
	case r.UserID != "" && r.DeviceID != "":
		return store.ScopeDevice, nil
	case r.UserID != "":
		return store.ScopeUser, nil
	case r.TenantID != "" && r.DeviceID == "":
		return "", invalid("tenant_id", "a whole tenant is POST /v1/revocations/bulk; name a session here, or a user by user_id")
	default:
		return "", invalid("user_id", "one of session_token, session_id and user_id is required")
	}
}

// fence makes the request take effect in checks and completes it with what
// the store knows. A store that does not answer leaves that to a worker.
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
		a.Logger.Warn("revocation is not fenced: it takes effect when a worker does it",
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
		return newProblem(http.StatusNotFound, "no such session is registered")
	case request.SessionID != "":
		request.Fenced = copySession(request, fenced.Session)
	}
	request.Cutoff = events.At(fenced.Cutoff)
	return nil
}

// copySession reports whether JSON can carry the session's ids. Those that a
// login service wrote to the store directly may be any bytes; then the worker
// asks the store for them.
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
