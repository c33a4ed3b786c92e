package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"
)

// report is what a suite has found.
type report struct {
	Began   time.Time `json:"began"`
	Seconds float64   `json:"seconds"`
	Quick   bool      `json:"quick,omitempty"`
	Machine machine   `json:"machine"`
	Rows    []row     `json:"rows"`
	Runs    []summary `json:"runs"`
	Picture string    `json:"-"` // file beside the document
}

func (r report) cells() [][]string {
	rows := [][]string{header()}
	for _, line := range r.Rows {
		rows = append(rows, line.cells())
	}
	return rows
}

//go:embed report.md.tmpl
var markdownText string

var markdownTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"line":    markdownLine,
	"short":   short,
	"header":  header,
	"grouped": grouped,
}).Parse(markdownText))

// markdownLine makes a line of a table.
func markdownLine(cells []string) string {
	return "| " + strings.ReplaceAll(strings.Join(cells, " | "), "\n", " ") + " |"
}

// Cells is for the template.
func (r row) Cells() []string { return r.cells() }

// Marks between which a document is written.
const (
	beginMark = "<!-- logoutbench -->\n"
	endMark   = "<!-- /logoutbench -->\n"
)

// pictureFile is the picture beside a document.
func pictureFile(document string) string {
	return strings.TrimSuffix(filepath.Base(document), filepath.Ext(document)) + ".svg"
}

// writeMarkdown writes the report into a document, which may be there already
// and have other text around the marks.
func (r report) writeMarkdown(path, picture string) error {
	r.Picture = picture
	var text bytes.Buffer
	if err := markdownTemplate.Execute(&text, r); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("writing the report: %w", err)
	}
	document, err := splice(string(old), text.String())
	if err != nil {
		return fmt.Errorf("writing the report into %s: %w", path, err)
	}
	return writeFile(path, []byte(document))
}

func sortedKeys(m map[string]uint64) []string { return slices.Sorted(maps.Keys(m)) }

// splice puts text between the marks of a document. A document that is empty
// becomes one.
func splice(document, text string) (string, error) {
	if document == "" {
		return "# Benchmarks\n\n" + beginMark + text + endMark, nil
	}
	before, rest, begins := strings.Cut(document, beginMark)
	_, after, ends := strings.Cut(rest, endMark)
	if !begins || !ends {
		return "", fmt.Errorf("it has no lines %q and %q to write between", strings.TrimSpace(beginMark), strings.TrimSpace(endMark))
	}
	return before + beginMark + text + endMark + after, nil
}
