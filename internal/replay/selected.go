package replay

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

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
		return Criteria(*s.Filter), nil
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

// Criteria says in words what a filter selects. Its names are those of the
// admin API.
func Criteria(f deadletters.Filter) []jobs.Criterion {
	var all []jobs.Criterion
	for _, c := range []jobs.Criterion{
		{Name: "from", Label: "Failed at or after", Value: timeText(f.From)},
		{Name: "to", Label: "Failed before", Value: timeText(f.To)},
		{Name: "step", Label: "Step", Value: f.Step},
		{Name: "target", Label: "Target", Value: f.Target},
		{Name: "code", Label: "Code", Value: f.Code},
		{Name: "user_id", Label: "User", Value: f.User},
		{Name: "tenant_id", Label: "Tenant", Value: f.Tenant},
		{Name: "app_id", Label: "App", Value: f.App},
		{Name: "device_id", Label: "Device", Value: f.Device},
		{Name: "min_attempts", Label: "Attempts, at least", Value: numberText(f.MinAttempts)},
		{Name: "max_attempts", Label: "Attempts, at most", Value: numberText(f.MaxAttempts)},
	} {
		if c.Value != "" {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return []jobs.Criterion{{Label: "Dead letters", Value: "all there were at the dry run"}}
	}
	return all
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func numberText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
