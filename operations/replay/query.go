package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/operations/letters"
)

// Query is a selection of dead letters: by id, or by what they are.
type Query struct {
	IDs    []string
	Filter *letters.Filter // its zero value selects all
}

// shownIDs is how many ids of a query are kept with the job.
const shownIDs = 100

// shown is a query as a job shows it, in the words of the admin API.
type shown struct {
	IDs      []string     `json:"ids,omitempty"`       // the first
	IDsTotal int          `json:"ids_total,omitempty"` // where there are more
	Filter   *shownFilter `json:"filter,omitempty"`
}

type shownFilter struct {
	From        events.Time `json:"from,omitzero"`
	To          events.Time `json:"to,omitzero"`
	Step        string      `json:"step,omitempty"`
	Target      string      `json:"target,omitempty"`
	Code        string      `json:"code,omitempty"`
	TenantID    string      `json:"tenant_id,omitempty"`
	AppID       string      `json:"app_id,omitempty"`
	UserID      string      `json:"user_id,omitempty"`
	DeviceID    string      `json:"device_id,omitempty"`
	MinAttempts int         `json:"min_attempts,omitempty"`
	MaxAttempts int         `json:"max_attempts,omitempty"`
}

func (q Query) encode() (json.RawMessage, error) {
	if (len(q.IDs) > 0) == (q.Filter != nil) {
		return nil, ErrQuery
	}
	s := shown{IDs: q.IDs}
	if len(q.IDs) > shownIDs {
		s.IDs, s.IDsTotal = q.IDs[:shownIDs], len(q.IDs)
	}
	if f := q.Filter; f != nil {
		s.Filter = &shownFilter{
			From: events.At(f.From), To: events.At(f.To), Step: f.Step, Target: f.Target, Code: f.Code,
			TenantID: f.Tenant, AppID: f.App, UserID: f.User, DeviceID: f.Device,
			MinAttempts: f.MinAttempts, MaxAttempts: f.MaxAttempts,
		}
	}
	body, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encoding query: %w", err)
	}
	return body, nil
}

// each calls f with every letter of the query, in the order of Seq, and
// returns how many ids name none.
func (r *Replays) each(ctx context.Context, q Query, f func(letters.Letter) error) (missing int, err error) {
	if q.Filter != nil {
		return 0, r.Letters.Select(ctx, *q.Filter, f)
	}
	ids := slices.Compact(slices.Sorted(slices.Values(q.IDs)))
	found, err := r.Letters.ByIDs(ctx, ids)
	if err != nil {
		return 0, err
	}
	there := map[string]bool{}
	for _, letter := range found {
		there[letter.ID] = true
		if err := f(letter); err != nil {
			return 0, err
		}
	}
	return len(ids) - len(there), nil
}
