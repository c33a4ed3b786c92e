package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// row is a line of a table.
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

// printLine prints v as JSON on one line.
func printLine(out io.Writer, v any) error { return json.NewEncoder(out).Encode(v) }
