package deadletters

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Filter selects dead letters; each field that is not zero narrows it. The
// zero value selects all. Its JSON and its query string have the same names
// everywhere: in the admin API, in the console's forms and in stored jobs.
type Filter struct {
	From time.Time `json:"from,omitzero"` // FailedAt, in milliseconds: at this time or later
	To   time.Time `json:"to,omitzero"`   // before this time

	Step   string `json:"step,omitempty"`
	Target string `json:"target,omitempty"`
	Code   string `json:"code,omitempty"`
	Tenant string `json:"tenant_id,omitempty"`
	App    string `json:"app_id,omitempty"`
	User   string `json:"user_id,omitempty"`
	Device string `json:"device_id,omitempty"`

	MinAttempts int `json:"min_attempts,omitempty"` // included; 0: open
	MaxAttempts int `json:"max_attempts,omitempty"` // included; 0: open
}

// Field is one field of a [Filter].
type Field struct {
	Name      string // in JSON and in a query string
	Label     string // in words
	condition string // in SQL
	of        func(*Filter) any
}

// Fields are all fields of a [Filter], in the order in which they are shown.
var Fields = []Field{
	{"from", "Failed at or after", `failed_at >= ?`, func(f *Filter) any { return &f.From }},
	{"to", "Failed before", `failed_at < ?`, func(f *Filter) any { return &f.To }},
	{"step", "Step", `step = ?`, func(f *Filter) any { return &f.Step }},
	{"target", "Target", `target = ?`, func(f *Filter) any { return &f.Target }},
	{"code", "Code", `code = ?`, func(f *Filter) any { return &f.Code }},
	{"user_id", "User", `user = ?`, func(f *Filter) any { return &f.User }},
	{"tenant_id", "Tenant", `tenant = ?`, func(f *Filter) any { return &f.Tenant }},
	{"app_id", "App", `app = ?`, func(f *Filter) any { return &f.App }},
	{"device_id", "Device", `device = ?`, func(f *Filter) any { return &f.Device }},
	{"min_attempts", "Attempts, at least", `attempts >= ?`, func(f *Filter) any { return &f.MinAttempts }},
	{"max_attempts", "Attempts, at most", `attempts <= ?`, func(f *Filter) any { return &f.MaxAttempts }},
}

// Of returns the field of f: a *string, *int or *time.Time.
func (d Field) Of(f *Filter) any { return d.of(f) }

// Number reports whether the field is a number.
func (d Field) Number() bool {
	_, ok := d.of(&Filter{}).(*int)
	return ok
}

// Time reports whether the field is a time.
func (d Field) Time() bool {
	_, ok := d.of(&Filter{}).(*time.Time)
	return ok
}

// Faults of a field's text, for operators.
var (
	ErrNumber = errors.New("A whole number from 1 on.")                                             //nolint:staticcheck // shown as it is
	ErrTime   = errors.New("A time in UTC such as 2026-01-31 02:30, or how long ago, such as 90m.") //nolint:staticcheck // shown as it is
)

// Set sets the field of f from text; empty text leaves it as it is. now is what
// "90m" is relative to. The error is [ErrNumber] or [ErrTime].
func (d Field) Set(f *Filter, text string, now time.Time) error {
	if text == "" {
		return nil
	}
	var err error
	switch value := d.of(f).(type) {
	case *string:
		*value = text
	case *int:
		if *value, err = strconv.Atoi(text); err != nil || *value < 1 {
			return ErrNumber
		}
	case *time.Time:
		*value, err = ParseTime(text, now)
	}
	return err
}

// text is the reverse of Set; empty: the field selects nothing.
func (d Field) text(f Filter) string {
	switch value := d.of(&f).(type) {
	case *string:
		return *value
	case *int:
		if *value != 0 {
			return strconv.Itoa(*value)
		}
	case *time.Time:
		if !value.IsZero() {
			return value.UTC().Format(time.RFC3339Nano)
		}
	}
	return ""
}

var timeLayouts = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
}

// ParseTime reads a time, in UTC unless it says otherwise, or how long before
// now it is. The error is [ErrTime].
func ParseTime(text string, now time.Time) (time.Time, error) {
	for _, layout := range timeLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	ago, err := time.ParseDuration(strings.TrimSuffix(text, " ago"))
	if err != nil || ago < 0 {
		return time.Time{}, ErrTime
	}
	return now.Add(-ago).UTC(), nil
}

// ParseQuery reads a filter from a query or a form, and returns what is wrong
// with each field by its name. A filter with faults must not be used: it selects
// more than was meant.
func ParseQuery(values url.Values, now time.Time) (f Filter, faults map[string]error) {
	faults = map[string]error{}
	for _, d := range Fields {
		if err := d.Set(&f, strings.TrimSpace(values.Get(d.Name)), now); err != nil {
			faults[d.Name] = err
		}
	}
	return f, faults
}

// Values returns the query that ParseQuery reads as the same filter.
func (f Filter) Values() url.Values {
	values := url.Values{}
	for _, c := range f.Describe() {
		values.Set(c.Name, c.Value)
	}
	return values
}

// Criterion is one field of a filter in words.
type Criterion struct{ Name, Label, Value string }

// Describe says in words what a filter selects; nothing: all.
func (f Filter) Describe() []Criterion {
	var criteria []Criterion
	for _, d := range Fields {
		if text := d.text(f); text != "" {
			criteria = append(criteria, Criterion{d.Name, d.Label, text})
		}
	}
	return criteria
}
