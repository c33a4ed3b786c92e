package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/logoutd/logoutd/internal/text"
)

// row is one line of a table.
type row []string

// printTable aligns rows in columns.
func printTable(out io.Writer, rows ...row) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for _, r := range rows {
		for i, cell := range r {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, plain(cell))
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// printFields prints names and values. It omits empty values.
func printFields(out io.Writer, rows ...row) error {
	return printTable(out, slices.DeleteFunc(rows, func(r row) bool { return r[1] == "" })...)
}

// printEach prints items: each as JSON on a line, or all as the rows of a table.
// Without a header it continues a table.
func printEach[T any](out io.Writer, f outputFlags, items []json.RawMessage, rowOf func(T) row, header ...string) error {
	if f.json() {
		for _, item := range items {
			if err := printLine(out, item); err != nil {
				return err
			}
		}
		return nil
	}
	var rows []row
	if len(header) > 0 {
		rows = append(rows, header)
	}
	for _, raw := range items {
		var item T
		if err := json.Unmarshal(raw, &item); err != nil {
			return fmt.Errorf("reading answer: %w", err)
		}
		rows = append(rows, rowOf(item))
	}
	return printTable(out, rows...)
}

// printIndented prints v as indented JSON.
func printIndented(out io.Writer, v any) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	return printJSON(out, &b, encoder.Encode(v))
}

// printLine prints v as JSON on one line.
func printLine(out io.Writer, v any) error {
	var b bytes.Buffer
	return printJSON(out, &b, json.NewEncoder(&b).Encode(v))
}

// printJSON prints JSON with its control characters escaped.
func printJSON(out io.Writer, encoded *bytes.Buffer, err error) error {
	if err == nil {
		_, err = io.WriteString(out, text.JSON(encoded.String()))
	}
	return err
}
