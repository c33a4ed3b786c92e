package console

import (
	"cmp"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/logoutd/logoutd/internal/deadletters"
)

// timeHint is the placeholder of a time input.
const timeHint = "90m or date time"

// labels of inputs that are shorter than those of the filter's description.
var labels = map[string]string{"from": "From (UTC)", "to": "Before (UTC)"}

// filterForm is a submitted filter with its faults.
type filterForm struct {
	Filter deadletters.Filter
	Fields []field
	// Bad reports that a field is invalid. The filter must not be used then: it
	// would select too much.
	Bad bool
}

// field is one input.
type field struct {
	deadletters.Field
	Hint    string
	Value   string
	Fault   string
	Options []string // suggestions
}

// Main returns the fields that are always visible.
func (f filterForm) Main() []field { return f.Fields[:6] }

// More returns the other fields.
func (f filterForm) More() []field { return f.Fields[6:] }

// MoreUsed reports whether one of the other fields has a value.
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
	filter, faults := deadletters.ParseQuery(values, now)
	form := filterForm{Filter: filter, Bad: len(faults) > 0}
	for _, d := range deadletters.Fields {
		f := field{Field: d, Value: strings.TrimSpace(values.Get(d.Name))}
		f.Label = cmp.Or(labels[d.Name], d.Label)
		if d.Time() {
			f.Hint = timeHint
		}
		if err := faults[d.Name]; err != nil {
			f.Fault = err.Error()
		}
		form.Fields = append(form.Fields, f)
	}
	return form
}

// chip is one criterion in words, with the URL of the page without it.
type chip struct {
	Label, Value, Without string
}

// chips describe a filter; each links to the page without it.
func chips(f deadletters.Filter, page string) []chip {
	var list []chip
	for _, c := range f.Describe() {
		rest := f.Values()
		rest.Del(c.Name)
		list = append(list, chip{c.Label, c.Value, page + "?" + rest.Encode()})
	}
	return list
}

// selection describes the selection of a plan or a job.
func (c *console) selection(kind string, asked json.RawMessage, force bool) []chip {
	var list []chip
	for _, criterion := range c.Jobs.Selected(kind, asked, force) {
		list = append(list, chip{Label: criterion.Label, Value: criterion.Value})
	}
	return list
}
