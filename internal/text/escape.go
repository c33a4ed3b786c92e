package text

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// bidi reports whether r changes the direction of what stands around it: a
// stranger could make an id look like another one.
func bidi(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }

// Plain returns s as it can stand on a terminal: each control character is a
// blank, so that it cannot take over the terminal or break a table, and each
// bidirectional one is escaped.
func Plain(s string) string {
	return escape(s, func(r rune) (string, bool) {
		if unicode.IsControl(r) {
			return " ", true
		}
		return `\u` + fmt.Sprintf("%04x", r), bidi(r)
	})
}

// JSON returns a JSON text with its control characters beyond ASCII and the
// bidirectional ones as escapes: the same text to a program.
func JSON(s string) string {
	return escape(s, func(r rune) (string, bool) {
		return fmt.Sprintf(`\u%04x`, r), bidi(r) || unicode.IsControl(r) && r >= utf8.RuneSelf || r == 0x7f
	})
}

// HTML returns a page in which bidirectional control characters are shown by
// their names. In a tag they are references, so that a form sends back what it
// got. Markup must have no "<" or ">" but those of tags.
func HTML(page []byte) []byte {
	if !bytes.ContainsFunc(page, bidi) {
		return page
	}
	tag := false
	return []byte(escape(string(page), func(r rune) (string, bool) {
		switch {
		case r == '<':
			tag = true
		case r == '>':
			tag = false
		case bidi(r) && tag:
			return fmt.Sprintf("&#x%x;", r), true
		}
		return fmt.Sprintf("⟨U+%04X⟩", r), bidi(r)
	}))
}

// Printable returns s on one line: printable characters, single blanks between
// them, and nothing else.
func Printable(s string) string {
	return printable(s, func(rune) bool { return false })
}

// PrintableOrBidi is [Printable] that keeps bidirectional control characters, for
// [Plain] to show.
func PrintableOrBidi(s string) string { return printable(s, bidi) }

func printable(s string, keep func(rune) bool) string {
	printable := strings.Map(func(r rune) rune {
		switch {
		case keep(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(printable), " ")
}

func escape(s string, of func(rune) (string, bool)) string {
	var b strings.Builder
	for _, r := range s {
		if escaped, ok := of(r); ok {
			b.WriteString(escaped)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
