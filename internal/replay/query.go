package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/logoutd/logoutd/internal/deadletters"
)

// Query is a selection of dead letters: by id, or by what they are.
type Query struct {
	IDs    []string
	Filter *deadletters.Filter // its zero value selects all
}

// shownIDs is how many ids of a query are kept with the job.
const shownIDs = 100

// shown is a query as a job keeps it, in the words of the admin API.
type shown struct {
	IDs      []string            `json:"ids,omitempty"`       // the first
	IDsTotal int                 `json:"ids_total,omitempty"` // where more were given
	Filter   *deadletters.Filter `json:"filter,omitempty"`
}

// named returns the letters under the ids.
func (r *Replays) named(ctx context.Context, ids []string) ([]deadletters.Letter, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return r.Letters.ByIDs(ctx, slices.Compact(slices.Sorted(slices.Values(ids))))
}

// encode keeps only ids under which there is a letter: what somebody gave for
// an id may be a credential.
func (q Query) encode(named []deadletters.Letter) (json.RawMessage, error) {
	var s shown
	for _, letter := range named[:min(len(named), shownIDs)] {
		s.IDs = append(s.IDs, letter.ID)
	}
	if len(s.IDs) < len(q.IDs) {
		s.IDsTotal = len(q.IDs)
	}
	if q.Filter != nil {
		filter := *q.Filter
		filter.From, filter.To = filter.From.UTC(), filter.To.UTC()
		s.Filter = &filter
	}
	body, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encoding query: %w", err)
	}
	return body, nil
}

// each calls f with every letter of the query, in the order of Seq, and
// returns how many ids name none.
func (r *Replays) each(ctx context.Context, q Query, named []deadletters.Letter, f func(deadletters.Letter) error) (missing int, err error) {
	if q.Filter != nil {
		return 0, r.Letters.Select(ctx, *q.Filter, f)
	}
	there := map[string]bool{}
	for _, letter := range named {
		there[letter.ID] = true
		if err := f(letter); err != nil {
			return 0, err
		}
	}
	ids := slices.Compact(slices.Sorted(slices.Values(q.IDs)))
	return len(ids) - len(there), nil
}
