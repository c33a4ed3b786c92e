package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// row is one line of a report: a figure, and what it is compared with.
type row struct {
	What     string  `json:"what"`
	Figure   string  `json:"figure"`
	Baseline string  `json:"baseline,omitempty"`
	Ratio    float64 `json:"ratio,omitempty"` // of figure to baseline
	Note     string  `json:"note,omitempty"`
}

// rateOf is a row of two rates.
func rateOf(what string, perSecond, baseline float64, of string) row {
	return row{What: what, Figure: rate(perSecond), Baseline: rate(baseline) + " " + of, Ratio: perSecond / baseline}
}

func (r row) cells() []string {
	ratio := ""
	if r.Ratio > 0 {
		ratio = fmt.Sprintf("%.2f ×", r.Ratio)
	}
	return []string{r.What, r.Figure, r.Baseline, ratio, r.Note}
}

// report is what was measured.
type report struct {
	Began   time.Time `json:"began,omitzero"`
	Seconds float64   `json:"seconds,omitempty"`
	Machine machine   `json:"machine,omitzero"`
	Rows    []row     `json:"rows"`
}

func (r report) table() [][]string {
	rows := [][]string{{"what", "figure", "baseline", "ratio", "note"}}
	for _, row := range r.Rows {
		rows = append(rows, row.cells())
	}
	return rows
}

// print prints a table, and writes the file if one is named.
func (r report) print(out io.Writer, jsonFile string) error {
	if err := printTable(out, r.table()); err != nil || jsonFile == "" {
		return err
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return writeFile(jsonFile, append(text, '\n'))
}

// Marks between which a document is written.
const (
	beginMark = "<!-- logoutbench -->\n"
	endMark   = "<!-- /logoutbench -->\n"
)

// markdown is the report as a part of a document.
func (r report) markdown() string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	fmt.Fprintf(&b, "Measured by `make bench` on %s in %.0f s, with the load generator, the servers and the baselines on one machine.\n"+
		"Ratios travel between machines; figures do not.\n\n", r.Began.Format("2006-01-02"), r.Seconds)
	line([]string{"machine", ""})
	b.WriteString("|---|---|\n")
	for _, cells := range r.Machine.table() {
		line(cells)
	}
	b.WriteString("\n")
	for i, cells := range r.table() {
		line(cells)
		if i == 0 {
			b.WriteString("|---|---|---|---|---|\n")
		}
	}
	return b.String()
}

// writeMarkdown writes the report into a document, between the marks where the
// document exists.
func (r report) writeMarkdown(path string) error {
	old, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		old = []byte("# Benchmarks\n\n" + beginMark + endMark)
	} else if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	before, rest, begins := strings.Cut(string(old), beginMark)
	_, after, ends := strings.Cut(rest, endMark)
	if !begins || !ends {
		return fmt.Errorf("writing the report into %s: it lacks the lines %q and %q", path, strings.TrimSpace(beginMark), strings.TrimSpace(endMark))
	}
	return writeFile(path, []byte(before+beginMark+r.markdown()+endMark+after))
}

// rate writes a number a second with separators: 12,345/s.
func rate(v float64) string { return grouped(v) + "/s" }

func megabytes(bytes int64) string { return fmt.Sprintf("%.0f MB", float64(bytes)/1e6) }

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

// percentiles writes some of the latencies of a run.
func percentiles(r *result, quantiles ...float64) string {
	texts := make([]string, len(quantiles))
	for i, q := range quantiles {
		texts[i] = milliseconds(r.Latency.quantile(q))
	}
	return strings.Join(texts, ", ")
}

// grouped writes a whole number with separators: 12,345.
func grouped(v float64) string {
	digits := fmt.Sprintf("%.0f", v)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
