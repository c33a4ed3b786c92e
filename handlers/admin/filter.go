package admin

import (
	"time"

	"github.com/logoutd/logoutd/internal/deadletters"
)

// filter takes the filter of dead letters. Its fields have the same names in a
// query and in a body.
func (o *object) filter() deadletters.Filter {
	var f deadletters.Filter
	for _, field := range deadletters.Fields {
		switch value := field.Of(&f).(type) {
		case *string:
			*value = o.optional(field.Name, maxID)
		case *int:
			*value = o.count(field.Name, 1)
		case *time.Time:
			*value = o.time(field.Name)
		}
	}
	if !f.To.IsZero() && !f.From.Before(f.To) {
		o.refuse("to", "must be after from")
	}
	if f.MaxAttempts > 0 && f.MaxAttempts < f.MinAttempts {
		o.refuse("max_attempts", "must not be less than min_attempts")
	}
	return f
}
