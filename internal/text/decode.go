package text

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Reader returns r as UTF-8: without its byte order mark, and decoded from
// UTF-16 where the mark says so. Text without a mark stays as it is.
func Reader(r io.Reader) io.Reader {
	return transform.NewReader(r, unicode.BOMOverride(transform.Nop))
}

// ErrNotText is wrapped by the refusal of a file that is no text.
var ErrNotText = errors.New("not UTF-8: save it as UTF-8, or as UTF-16 with a byte order mark (CSV UTF-8 or Unicode text in a spreadsheet)")

// Decode returns a whole file as UTF-8, or [ErrNotText].
func Decode(file []byte) (string, error) {
	decoded, err := io.ReadAll(Reader(bytes.NewReader(file)))
	if err != nil {
		return "", err
	}
	text := string(decoded)
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", ErrNotText
	}
	return text, nil
}
