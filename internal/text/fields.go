package text

import (
	"errors"
	"strings"
	"unicode"
)

// ErrQuote refuses a field whose quotes do not fit.
var ErrQuote = errors.New("a quote that is not closed, or in the middle of a field in quotes")

// Fields returns the fields of a line, with the blanks and the quotes around
// them taken off. They are separated by tabs, and behind a field in quotes by a
// comma or semicolon too, as spreadsheets do (RFC 4180).
func Fields(line string) ([]string, error) {
	var fields []string
	for {
		line = strings.TrimFunc(line, blank)
		if !strings.HasPrefix(line, `"`) {
			field, rest, more := strings.Cut(line, "\t")
			fields = append(fields, strings.TrimSpace(field))
			if !more {
				return fields, nil
			}
			line = rest
			continue
		}
		field, rest, err := quoted(line[1:])
		if err != nil {
			return nil, err
		}
		fields = append(fields, strings.TrimSpace(field))
		rest = strings.TrimLeftFunc(rest, blank)
		if rest == "" {
			return fields, nil
		}
		if !strings.ContainsAny(rest[:1], "\t,;") {
			return nil, ErrQuote
		}
		line = rest[1:]
	}
}

// blank reports whether r is white space that separates no fields.
func blank(r rune) bool { return unicode.IsSpace(r) && r != '\t' }

// quoted returns a field up to its closing quote, and what is behind it.
func quoted(s string) (field, rest string, err error) {
	for {
		part, after, closed := strings.Cut(s, `"`)
		if !closed {
			return "", "", ErrQuote
		}
		field += part
		if !strings.HasPrefix(after, `"`) {
			return field, after, nil
		}
		field, s = field+`"`, after[1:]
	}
}
