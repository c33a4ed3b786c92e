package admin

import "github.com/logoutd/logoutd/internal/deadletters"

// filter takes what selects dead letters: the same names in a query and in a
// body.
func (o *object) filter() deadletters.Filter {
	f := deadletters.Filter{
		From: o.time("from"), To: o.time("to"),
		Step: o.optional("step", maxID), Target: o.optional("target", maxID), Code: o.optional("code", maxID),
		Tenant: o.optional("tenant_id", maxID), App: o.optional("app_id", maxID),
		User: o.optional("user_id", maxID), Device: o.optional("device_id", maxID),
		MinAttempts: o.count("min_attempts", 1), MaxAttempts: o.count("max_attempts", 1),
	}
	if !f.To.IsZero() && !f.From.Before(f.To) {
		o.refuse("to", "must be after from")
	}
	if f.MaxAttempts > 0 && f.MaxAttempts < f.MinAttempts {
		o.refuse("max_attempts", "must not be less than min_attempts")
	}
	return f
}
