package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/bulk"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/deliveries"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/replay"
	"github.com/logoutd/logoutd/internal/subscribers"
	"github.com/logoutd/logoutd/store"
)

// refusal maps an error of an internal package to a problem.
type refusal struct {
	err    error
	status int
	kind   string // type of the problem
	field  string
	detail string
}

// refusals are checked in order, because an error can wrap several.
var refusals = []refusal{
	{store.ErrUnknownParent, 400, typeField, "session_id", "no such session is registered: register it first"},
	{store.ErrOtherUser, 400, typeOtherUser, "user_id", "the credential, or what it is bound to, belongs to another user"},

	{deadletters.ErrNoDeadLetter, 404, typeBlank, "", "dead letter not found: it was replayed or discarded, or never existed"},
	{deadletters.ErrCursor, 400, typeField, "after", afterIsNext},
	{audit.ErrCursor, 400, typeField, "after", afterIsNext},
	{replay.ErrQuery, 400, typeField, "ids", lettersWanted},
	{replay.ErrNotReady, 503, typeBlank, "", "the dead letters are still being read: try again soon; GET /v1/failed shows the progress"},
	{bulk.ErrQuery, 400, typeField, "users", "set one of app_id, tenant_id and users, or authenticated_before; it can also narrow the others"},

	{jobs.ErrNoPlan, 404, typePlan, "", "no dry run for this token: it has expired after an hour, is of another kind, or never existed; repeat the dry run"},
	{jobs.ErrNoReason, 400, typeField, "reason", "is required: it is recorded in the audit log"},
	{jobs.ErrRate, 400, typeField, "rate", "must be a number of items per second; 0 means unlimited"},
	{jobs.ErrNoJob, 404, typeBlank, "", "job not found: see GET /v1/jobs"},
	{jobs.ErrState, 409, typeJobState, "", "the job's state does not allow this: see GET /v1/jobs/{id}"},

	{access.ErrName, 400, typeField, "name", "must be 1 to 64 letters, digits, \".\", \"_\" and \"-\", and not \"" + access.RootName + "\""},
	{access.ErrRole, 400, typeField, "role", "must be registry, viewer or operator"},
	{access.ErrExists, 409, typeExists, "name", "a token with this name exists: choose another name, or revoke it first"},
	{access.ErrNoToken, 404, typeBlank, "", "token not found: see GET /v1/tokens"},

	{subscribers.ErrName, 400, typeField, "name", "must be 1 to 32 of a-z, 0-9 and \"-\", must not begin or end with \"-\", and must not be admin, front, logoutd or worker"},
	{subscribers.ErrConsumers, 400, typeField, "consumers", fmt.Sprintf("must be 1 to %d", subscribers.MaxConsumers)},
	{subscribers.ErrExists, 409, typeExists, "name", "a subscriber with this name exists: choose another name, or revoke it first"},
	{subscribers.ErrConsumer, 409, typeExists, "name", "a consumer with this name exists that belongs to no subscriber: choose another name, or delete it first"},
	{subscribers.ErrNoSubscriber, 404, typeBlank, "", "subscriber not found: see GET /v1/subscribers"},

	{deliveries.ErrMore, 409, typeField, "deliveries", "more deliveries are pending than you confirmed: see GET /v1/targets, and send the current number"},

	{broker.ErrUnavailable, 503, typeBlank, "", "the broker is unavailable: try again later"},
	{store.ErrUnavailable, 503, typeBlank, "", "the store is unavailable: try again later"},
	{context.DeadlineExceeded, 503, typeBlank, "", "the store or the broker did not answer in time: try again later"},
	// The caller has disconnected, or the server is shutting down.
	{context.Canceled, 503, typeBlank, "", "the call was interrupted: try again later"},
}

// Details that several faults share.
const (
	afterIsNext   = "must be the \"next\" of the previous page"
	lettersWanted = "set either \"ids\":[…] or \"filter\":{…}; an empty filter selects all dead letters"
)

// refused returns the problem of an error; nil for an internal error.
func refused(err error) *problem {
	var started jobs.ErrStarted
	if errors.As(err, &started) {
		p := newProblem(http.StatusConflict, "the dry run was already started: see the job")
		p.Type, p.JobID = typeStarted, started.JobID
		return p
	}
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			p := newProblem(r.status, r.detail)
			p.Type, p.Field = r.kind, r.field
			return p
		}
	}
	return nil
}
