package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
)

// writeFile writes a file, as a whole or not at all, and its directory if need
// be; "-" is standard output.
func writeFile(path string, content []byte) error {
	if path == "-" {
		_, err := os.Stdout.Write(content)
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	if err := os.WriteFile(path+".new", content, 0o644); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// writeJSON writes v as [writeFile] does.
func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return writeFile(path, append(text, '\n'))
}

// printTable aligns rows in columns.
func printTable(out io.Writer, rows [][]string) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// tell prints rows as a table, and writes v as JSON where a path is given; "-"
// writes it to standard output instead of the table.
func tell(path string, rows [][]string, v any) error {
	if path != "-" {
		if err := printTable(os.Stdout, rows); err != nil {
			return err
		}
	}
	if path == "" {
		return nil
	}
	return writeJSON(path, v)
}
