package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Units of quantities; the zero value has none.
const (
	perSecond = "/s"
	millis    = "ms"
	seconds   = "s"
	megabytes = "MB"
)

// quantity is a value with its unit.
type quantity struct {
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
	Of    string  `json:"of,omitempty"` // what it was measured on, of a baseline
}

func rateOf(r *result) quantity { return quantity{Value: r.throughput(), Unit: perSecond} }

func inMillis(d time.Duration) quantity { return quantity{Value: milliseconds(d), Unit: millis} }

func inSeconds(d time.Duration) quantity { return quantity{Value: d.Seconds(), Unit: seconds} }

func (q quantity) of(what string) *quantity {
	q.Of = what
	return &q
}

func (q quantity) String() string {
	return strings.TrimSpace(short(q.Value) + " " + q.Unit)
}

// row is one line of the report: a figure, what it is compared with, and the
// target.
type row struct {
	place    int       // in the table
	What     string    `json:"what"`
	Figure   quantity  `json:"figure"`
	Baseline *quantity `json:"baseline,omitempty"`
	Ratio    float64   `json:"ratio,omitempty"` // of figure to baseline
	Target   string    `json:"target"`
	Reached  bool      `json:"reached"`
	Note     string    `json:"note,omitempty"`
	Missing  string    `json:"missing,omitempty"` // why it was not measured
}

// ratioAtLeast is a row whose figure has to be at least bound times the
// baseline.
func ratioAtLeast(what string, figure quantity, baseline *quantity, bound float64) row {
	r := ratioRow(what, figure, baseline)
	r.Target, r.Reached = "≥ "+trimmed(bound)+" ×", r.Ratio >= bound
	return r
}

// ratioAtMost is a row whose figure may be at most bound times the baseline.
func ratioAtMost(what string, figure quantity, baseline *quantity, bound float64) row {
	r := ratioRow(what, figure, baseline)
	r.Target, r.Reached = "≤ "+trimmed(bound)+" ×", r.Ratio <= bound
	return r
}

func ratioRow(what string, figure quantity, baseline *quantity) row {
	r := row{What: what, Figure: figure, Baseline: baseline}
	if baseline.Value > 0 {
		r.Ratio = figure.Value / baseline.Value
	}
	return r
}

// atMost is a row whose figure may be at most bound, in its unit.
func atMost(what string, figure quantity, bound float64) row {
	return row{
		What: what, Figure: figure, Reached: figure.Value <= bound,
		Target: "≤ " + quantity{Value: bound, Unit: figure.Unit}.String(),
	}
}

// missing is a row for what was not measured.
func missing(place int, what, why string) row { return row{place: place, What: what, Missing: why} }

// verdict is the last column.
func (r row) verdict() string {
	switch {
	case r.Missing != "":
		return "not measured"
	case r.Target == "":
		return ""
	case r.Reached:
		return "reached"
	default:
		return "missed"
	}
}

// cells are the columns of a table.
func (r row) cells() []string {
	if r.Missing != "" {
		return []string{r.What, "", "", "", "", r.verdict() + ": " + r.Missing}
	}
	cells := []string{r.What, r.Figure.String(), "", "", r.Target, r.verdict()}
	if r.Baseline != nil {
		cells[2] = r.Baseline.String() + " " + r.Baseline.Of
		cells[3] = trimmed(r.Ratio) + " ×"
	}
	if r.Note != "" {
		cells[5] = strings.TrimPrefix(cells[5]+"; "+r.Note, "; ")
	}
	return cells
}

// header are the titles of the columns.
func header() []string {
	return []string{"what", "figure", "baseline", "ratio", "target", "verdict"}
}

// short writes a value with three digits or so.
func short(v float64) string {
	switch {
	case v >= 100:
		return grouped(v)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return trimmed(v)
	}
}

// trimmed writes a value with up to two decimals.
func trimmed(v float64) string {
	text := strconv.FormatFloat(v, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// grouped writes a whole number with separators: 12,345.
func grouped(v float64) string {
	digits := fmt.Sprintf("%.0f", v)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
