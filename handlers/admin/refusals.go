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

// refusal is what an error of the packages below means to a caller.
type refusal struct {
	err    error
	status int
	kind   string // type of the problem
	field  string
	detail string
}

// refusals are in order: an error may wrap several.
var refusals = []refusal{
	{store.ErrUnknownParent, 400, typeField, "session_id", "no such session is registered: register it first"},
	{store.ErrOtherUser, 400, typeOtherUser, "user_id", "the credential, or what it is bound to, belongs to another user"},

	{deadletters.ErrNoDeadLetter, 404, typeBlank, "", "there is no such dead letter: it was replayed or discarded, or never was"},
	{deadletters.ErrCursor, 400, typeField, "after", afterIsNext},
	{audit.ErrCursor, 400, typeField, "after", afterIsNext},
	{replay.ErrQuery, 400, typeField, "ids", lettersWanted},
	{replay.ErrNotReady, 503, typeBlank, "", "the dead letters are still being read: try the same again soon; GET /v1/failed shows how far it is"},
	{bulk.ErrQuery, 400, typeField, "users", "one of app_id, tenant_id and users is wanted, or authenticated_before alone; it also narrows the others"},

	{jobs.ErrNoPlan, 404, typePlan, "", "there is no dry run under this token: it is more than an hour old, of another kind, or never was; make it again"},
	{jobs.ErrNoReason, 400, typeField, "reason", "is required: it stands in the audit log"},
	{jobs.ErrRate, 400, typeField, "rate", "must be a number of items a second; leave it out for no limit"},
	{jobs.ErrNoJob, 404, typeBlank, "", "there is no such job: see GET /v1/jobs"},
	{jobs.ErrState, 409, typeJobState, "", "the state of the job does not allow it: see GET /v1/jobs/{id}"},

	{access.ErrName, 400, typeField, "name", "must be 1 to 64 letters, digits, \".\", \"_\" and \"-\", and not \"" + access.RootName + "\""},
	{access.ErrRole, 400, typeField, "role", "must be registry, viewer or operator"},
	{access.ErrExists, 409, typeExists, "name", "there is a token of that name: choose another, or revoke it first"},
	{access.ErrNoToken, 404, typeBlank, "", "there is no such token: see GET /v1/tokens"},

	{subscribers.ErrName, 400, typeField, "name", "must be 1 to 32 of a-z, 0-9 and \"-\", without \"-\" at its ends, and none of admin, front, logoutd, worker"},
	{subscribers.ErrConsumers, 400, typeField, "consumers", fmt.Sprintf("must be 1 to %d", subscribers.MaxConsumers)},
	{subscribers.ErrExists, 409, typeExists, "name", "there is a subscriber of that name: choose another, or revoke it first"},
	{subscribers.ErrConsumer, 409, typeExists, "name", "there is a consumer of that name which belongs to no subscriber: choose another name, or delete it first"},
	{subscribers.ErrNoSubscriber, 404, typeBlank, "", "there is no such subscriber: see GET /v1/subscribers"},

	{deliveries.ErrMore, 409, typeField, "deliveries", "more deliveries wait than you confirmed: see GET /v1/targets, and give the number that waits now"},

	{broker.ErrUnavailable, 503, typeBlank, "", "the broker is unavailable: try the same again later"},
	{store.ErrUnavailable, 503, typeBlank, "", "the store is unavailable: try the same again later"},
	{context.DeadlineExceeded, 503, typeBlank, "", "the store or the broker does not answer in time: try the same again later"},
	// The caller is gone, or the server is shutting down.
	{context.Canceled, 503, typeBlank, "", "the call was broken off: try the same again later"},
}

// Details that are given in several places.
const (
	afterIsNext   = "must be the \"next\" of the page before"
	lettersWanted = "give \"ids\":[…] or \"filter\":{…}; an empty filter chooses all"
)

// refused returns the problem that an error stands for; nil where it is none
// of the caller's business.
func refused(err error) *problem {
	var started jobs.ErrStarted
	if errors.As(err, &started) {
		p := newProblem(http.StatusConflict, "the dry run was started before: see the job")
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
