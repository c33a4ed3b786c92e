package bulk

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/store"
)

// ErrQuery is wrapped by the refusal of a [Query] that names nothing, or more
// than one of app, tenant and users.
var ErrQuery = errors.New("not a bulk revocation")

// Query says whom a bulk revocation concerns: at most one of app, tenant and
// users, and what of theirs.
type Query struct {
	// AppID: each live session of the app is revoked, with what is bound to
	// it; the users stay logged in elsewhere.
	AppID string
	// TenantID: everything of the tenant's users is revoked. The default
	// tenant, which has no name, cannot be chosen.
	TenantID string
	// Users: everything of theirs is revoked.
	Users []store.User
	// AuthenticatedBefore leaves alone what was authenticated later. Zero, or
	// in the future: the time of the dry run. Without app, tenant and users it
	// concerns everybody.
	AuthenticatedBefore time.Time
}

func (q Query) check() error {
	named := 0
	for _, names := range []bool{q.AppID != "", q.TenantID != "", len(q.Users) > 0} {
		if names {
			named++
		}
	}
	switch {
	case named > 1:
		return fmt.Errorf("%w: name an app, a tenant or users, not several of them", ErrQuery)
	case named == 0 && q.AuthenticatedBefore.IsZero():
		return fmt.Errorf("%w: name an app, a tenant, users or a time", ErrQuery)
	}
	return nil
}

// cutoff is the time up to which it revokes, where the store's clock shows now.
func (q Query) cutoff(now time.Time) time.Time {
	if q.AuthenticatedBefore.IsZero() || q.AuthenticatedBefore.After(now) {
		return now
	}
	return q.AuthenticatedBefore
}

// settled is a query as a plan and its job keep it.
type settled struct {
	AppID               string      `json:"app_id,omitempty"`
	TenantID            string      `json:"tenant_id,omitempty"`
	Users               int         `json:"users,omitempty"` // how many were named
	AuthenticatedBefore events.Time `json:"authenticated_before,omitzero"`
	// Cutoff is settled by the dry run, however much later a request is made.
	Cutoff events.Time `json:"cutoff"`
}

func (q Query) settle(cutoff time.Time) (json.RawMessage, error) {
	return json.Marshal(settled{
		AppID: q.AppID, TenantID: q.TenantID, Users: len(q.Users),
		AuthenticatedBefore: events.At(q.AuthenticatedBefore), Cutoff: events.At(cutoff),
	})
}

// cutoffOf is the cutoff of a job.
func cutoffOf(query json.RawMessage) (events.Time, error) {
	var s settled
	if err := json.Unmarshal(query, &s); err != nil {
		return events.Time{}, fmt.Errorf("reading the job's query: %w", err)
	}
	if s.Cutoff.IsZero() {
		return events.Time{}, errors.New("reading the job's query: no cutoff")
	}
	return s.Cutoff, nil
}
