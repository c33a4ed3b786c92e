package console

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/replay"
)

// criterion is one field of a filter, under the name it has in the admin API.
type criterion struct {
	Name, Label, Hint string
	text              func(*deadletters.Filter) *string
	number            func(*deadletters.Filter) *int
	time              func(*deadletters.Filter) *time.Time
}

const timeHint = "90m or date time"

var criteria = []criterion{
	{Name: "from", Label: "From (UTC)", Hint: timeHint, time: func(f *deadletters.Filter) *time.Time { return &f.From }},
	{Name: "to", Label: "Before (UTC)", Hint: timeHint, time: func(f *deadletters.Filter) *time.Time { return &f.To }},
	{Name: "step", Label: "Step", text: func(f *deadletters.Filter) *string { return &f.Step }},
	{Name: "target", Label: "Target", text: func(f *deadletters.Filter) *string { return &f.Target }},
	{Name: "code", Label: "Code", text: func(f *deadletters.Filter) *string { return &f.Code }},
	{Name: "user_id", Label: "User", text: func(f *deadletters.Filter) *string { return &f.User }},
	{Name: "tenant_id", Label: "Tenant", text: func(f *deadletters.Filter) *string { return &f.Tenant }},
	{Name: "app_id", Label: "App", text: func(f *deadletters.Filter) *string { return &f.App }},
	{Name: "device_id", Label: "Device", text: func(f *deadletters.Filter) *string { return &f.Device }},
	{Name: "min_attempts", Label: "Attempts, at least", number: func(f *deadletters.Filter) *int { return &f.MinAttempts }},
	{Name: "max_attempts", Label: "Attempts, at most", number: func(f *deadletters.Filter) *int { return &f.MaxAttempts }},
}

// filterForm is a filter as it was filled in, with what is wrong about it.
type filterForm struct {
	Filter deadletters.Filter
	Fields []field
	// Bad tells that a field could not be read: the filter must not be used,
	// since it would select more than was meant.
	Bad bool
}

// field is one input.
type field struct {
	criterion
	Value   string
	Fault   string
	Options []string // suggestions
}

// Number reports whether it takes a number.
func (f field) Number() bool { return f.number != nil }

// Main returns the fields that are always in view.
func (f filterForm) Main() []field { return f.Fields[:6] }

// More returns the others.
func (f filterForm) More() []field { return f.Fields[6:] }

// MoreUsed reports whether one of the others says something.
func (f filterForm) MoreUsed() bool {
	for _, field := range f.More() {
		if field.Value != "" {
			return true
		}
	}
	return false
}

// readFilter reads a filter from a query or a form.
func readFilter(values url.Values, now time.Time) filterForm {
	var form filterForm
	for _, c := range criteria {
		f := field{criterion: c, Value: strings.TrimSpace(values.Get(c.Name))}
		f.Fault = c.read(&form.Filter, f.Value, now)
		form.Bad = form.Bad || f.Fault != ""
		form.Fields = append(form.Fields, f)
	}
	return form
}

// read sets the criterion's field of the filter and returns what is wrong with
// the value.
func (c criterion) read(f *deadletters.Filter, value string, now time.Time) (fault string) {
	switch {
	case value == "":
	case c.text != nil:
		*c.text(f) = value
	case c.number != nil:
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			return "A whole number from 1 on."
		}
		*c.number(f) = n
	default:
		at, ok := readTime(value, now)
		if !ok {
			return badTime
		}
		*c.time(f) = at
	}
	return ""
}

// badTime is what is wrong with a time.
const badTime = "A time in UTC such as 2026-01-31 02:30, or how long ago, such as 90m."

var timeLayouts = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
}

// readTime reads a time, in UTC unless it says otherwise, or how long ago.
func readTime(value string, now time.Time) (time.Time, bool) {
	for _, layout := range timeLayouts {
		if at, err := time.Parse(layout, value); err == nil {
			return at.UTC(), true
		}
	}
	ago, err := time.ParseDuration(strings.TrimSuffix(value, " ago"))
	return now.Add(-ago).UTC(), err == nil && ago >= 0
}

// query writes a filter so that readFilter reads the same.
func query(f deadletters.Filter) url.Values {
	values := url.Values{}
	for _, c := range criteria {
		if text := c.write(&f); text != "" {
			values.Set(c.Name, text)
		}
	}
	return values
}

func (c criterion) write(f *deadletters.Filter) string {
	switch {
	case c.text != nil:
		return *c.text(f)
	case c.number != nil && *c.number(f) != 0:
		return strconv.Itoa(*c.number(f))
	case c.time != nil && !c.time(f).IsZero():
		return exact(*c.time(f))
	default:
		return ""
	}
}

// chip is one criterion in words, and the page without it.
type chip struct {
	Label, Value, Without string
}

// chips say what a filter selects; each leads to the page without it.
func chips(f deadletters.Filter, page string) []chip {
	var list []chip
	for _, c := range replay.Criteria(f) {
		if c.Name == "" {
			continue
		}
		rest := query(f)
		rest.Del(c.Name)
		list = append(list, chip{c.Label, c.Value, page + "?" + rest.Encode()})
	}
	return list
}

// selection says in words what a plan or a job acts on.
func (c *console) selection(kind string, asked json.RawMessage, force bool) []chip {
	var list []chip
	for _, criterion := range c.Jobs.Selected(kind, asked, force) {
		list = append(list, chip{Label: criterion.Label, Value: criterion.Value})
	}
	return list
}
