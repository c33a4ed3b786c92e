package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits, in bytes.
const (
	maxBody  = 64 << 10 // of a body; of a line of an import
	maxToken = 4 << 10
	maxID    = 256
	// maxSelection is the limit of a body with a selection: maxNamed of the longest
	// usual ids, those of push deliveries.
	maxSelection = 16 << 20
)

// maxNamed is the maximum number of dead letters or users in a body.
const maxNamed = 100_000

// object reads a JSON object strictly: each accessor takes out a field, and
// fields that are left at the end are unknown. It keeps the first fault.
type object struct {
	fields map[string]json.RawMessage
	fault  *problem
	// text says that numbers are strings, as in a query.
	text bool
}

// body reads the body of a request as an object.
func body(w http.ResponseWriter, r *http.Request) (*object, error) {
	return bodyUpTo(w, r, maxBody, "use POST /v1/import for many registrations")
}

// bodyUpTo is body with its own limit, and a hint for a body that is too large.
func bodyUpTo(w http.ResponseWriter, r *http.Request, limit int64, hint string) (*object, error) {
	raw, err := readBody(w, r, limit, hint)
	if err != nil {
		return nil, err
	}
	return parseObject(raw)
}

func readBody(w http.ResponseWriter, r *http.Request, limit int64, hint string) ([]byte, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, newProblem(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d KiB; %s", limit>>10, hint))
	}
	if err != nil {
		return nil, newProblem(http.StatusBadRequest, "the body broke off")
	}
	return raw, nil
}

// parseObject reads raw, which must be one object and nothing else.
func parseObject(raw []byte) (*object, error) {
	malformed := func(detail string) error { return newProblem(http.StatusBadRequest, detail) }
	var syntax *json.SyntaxError
	err := json.Unmarshal(raw, new(json.RawMessage))
	switch {
	case len(bytes.TrimSpace(raw)) == 0:
		return nil, malformed("the body is empty: send a JSON object")
	case !utf8.Valid(raw):
		return nil, malformed("the JSON is not valid UTF-8")
	case errors.As(err, &syntax):
		return nil, malformed(fmt.Sprintf("invalid JSON at byte %d: send one JSON object", syntax.Offset))
	case err != nil, bytes.TrimSpace(raw)[0] != '{':
		return nil, malformed("not a JSON object: send one JSON object")
	}
	return fieldsOf(raw)
}

// fieldsOf splits a valid object into its fields. It does not decode into a map,
// which would silently keep the last of two fields with the same name.
func fieldsOf(raw []byte) (*object, error) {
	o := &object{fields: map[string]json.RawMessage{}}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
		if _, twice := o.fields[name.(string)]; twice {
			return nil, invalid(shorten(name.(string)), "given twice")
		}
		o.fields[name.(string)] = value
	}
	return o, nil
}

func (o *object) refuse(field, format string, args ...any) {
	if o.fault == nil {
		o.fault = invalid(field, format, args...)
	}
}

// has reports whether a field is present and was not taken yet.
func (o *object) has(name string) bool {
	_, ok := o.fields[name]
	return ok
}

// take decodes a field into v, if it is present.
func (o *object) take(name string, v any, want string) (ok bool) {
	raw, ok := o.fields[name]
	delete(o.fields, name)
	if !ok {
		return false
	}
	if string(raw) == "null" || json.Unmarshal(raw, v) != nil {
		o.refuse(name, "must be %s; omit the field if it has no value", want)
		return false
	}
	return true
}

// optional takes a text of 1 to limit bytes; "" if it is missing. It refuses an
// empty text: a caller with an empty variable would revoke more than intended.
func (o *object) optional(name string, limit int) string {
	var s string
	if !o.take(name, &s, "a string") {
		return ""
	}
	switch {
	case s == "":
		o.refuse(name, "must not be empty; omit the field if it has no value")
	case len(s) > limit:
		o.refuse(name, "must not be longer than %d bytes", limit)
	case strings.ContainsRune(s, utf8.RuneError):
		// Half a surrogate pair decodes to U+FFFD: different ids would become equal.
		o.refuse(name, "must be valid Unicode, without U+FFFD and without half a surrogate pair")
	}
	return s
}

func (o *object) required(name string, limit int) string {
	if !o.has(name) {
		o.refuse(name, "is required")
	}
	return o.optional(name, limit)
}

// time takes an RFC 3339 time; the zero value if it is missing.
func (o *object) time(name string) time.Time {
	var t time.Time
	if !o.take(name, &t, "an RFC 3339 time, such as 2026-01-31T12:00:00.000Z") {
		return time.Time{}
	}
	if t.UnixMilli() <= 0 { // especially the zero value, which means "missing"
		o.refuse(name, "must be after 1970")
	}
	return t
}

// done returns the fault to report. An unknown field comes first, because a
// misspelt name causes other faults.
func (o *object) done() error {
	unknown := make([]string, 0, len(o.fields))
	for name := range o.fields {
		unknown = append(unknown, name)
	}
	if len(unknown) > 0 {
		return invalid(shorten(slices.Min(unknown)), "unknown field")
	}
	if o.fault != nil {
		return o.fault
	}
	return nil
}

// shorten truncates a name from a caller, so that an error can contain it.
func shorten(name string) string {
	const most = 64
	if len(name) > most {
		return name[:most] + "…"
	}
	return name
}
