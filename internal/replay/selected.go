package replay

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/jobs"
)

// Selected implements [jobs.Work].
func (work) Selected(query json.RawMessage) ([]jobs.Criterion, error) {
	var s shown
	if err := json.Unmarshal(query, &s); err != nil {
		return nil, fmt.Errorf("reading the query of a job: %w", err)
	}
	if s.Filter != nil {
		return criteria(*s.Filter), nil
	}
	return []jobs.Criterion{{Name: "ids", Label: "Dead letters by id", Value: s.ids()}}, nil
}

// ids lists the ids that were given, as far as they are kept.
func (s shown) ids() string {
	switch total := max(s.IDsTotal, len(s.IDs)); {
	case len(s.IDs) == 0:
		return fmt.Sprintf("%d given, none of which is there", total)
	case total > len(s.IDs):
		return fmt.Sprintf("%d given, among them: %s", total, strings.Join(s.IDs, ", "))
	default:
		return strings.Join(s.IDs, ", ")
	}
}

// criteria says in words what a filter selects.
func criteria(f deadletters.Filter) []jobs.Criterion {
	var all []jobs.Criterion
	for _, c := range f.Describe() {
		all = append(all, jobs.Criterion(c))
	}
	if len(all) == 0 {
		return []jobs.Criterion{{Label: "Dead letters", Value: "all there were at the dry run"}}
	}
	return all
}
