package bulk

import (
	"encoding/json"
	"fmt"

	"github.com/logoutd/logoutd/internal/jobs"
)

// Selected implements [jobs.Work].
func (work) Selected(query json.RawMessage) ([]jobs.Criterion, error) {
	var s settled
	if err := json.Unmarshal(query, &s); err != nil {
		return nil, fmt.Errorf("reading the query of a job: %w", err)
	}
	return s.criteria(), nil
}

// criteria says whom it concerns, and up to which time.
func (s settled) criteria() []jobs.Criterion {
	var all []jobs.Criterion
	if s.AppID != "" {
		all = append(all, jobs.Criterion{Name: "app_id", Label: "Sessions of the app", Value: s.AppID})
	}
	if s.TenantID != "" {
		all = append(all, jobs.Criterion{Name: "tenant_id", Label: "All users of the tenant", Value: s.TenantID})
	}
	if s.Users > 0 {
		all = append(all, jobs.Criterion{Name: "users", Label: "Users of a list", Value: fmt.Sprint(s.Users)})
	}
	if len(all) == 0 {
		all = append(all, jobs.Criterion{Label: "Users", Value: "everybody, in all tenants"})
	}
	if !s.AuthenticatedBefore.IsZero() {
		all = append(all, jobs.Criterion{
			Name: "authenticated_before", Label: "Asked for: authenticated at or before", Value: s.AuthenticatedBefore.String(),
		})
	}
	return append(all, jobs.Criterion{Name: "cutoff", Label: "Authenticated at or before", Value: s.Cutoff.String()})
}
