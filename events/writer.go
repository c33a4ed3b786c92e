package events

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// writer appends an event to buf, to the byte as encoding/json does.
type writer struct {
	buf []byte
	err error // the first
}

// usualSize is about how long an event is, in bytes.
const usualSize = 768

// write returns an event in its form.
func write[T any](e *Event[T], data func(*writer, *T)) ([]byte, error) {
	w := &writer{buf: make([]byte, 0, usualSize)}
	formOfEvent(w, e, data)
	if w.err != nil {
		return nil, fmt.Errorf("encoding event: %w", w.err)
	}
	return w.buf, nil
}

func (w *writer) literal(s string) { w.buf = append(w.buf, s...) }

func (w *writer) text(key string, v *string) {
	w.literal(key)
	w.string(*v)
}

func (w *writer) optional(key string, v *string) {
	if *v != "" {
		w.text(key, v)
	}
}

func (w *writer) time(key string, v *Time) {
	w.literal(key)
	var err error
	if w.buf, err = v.append(w.buf); err != nil {
		w.fail(err)
	}
}

func (w *writer) optionalTime(key string, v *Time) {
	if !v.IsZero() {
		w.time(key, v)
	}
}

func (w *writer) flag(key string, v *bool) {
	w.literal(key)
	w.buf = strconv.AppendBool(w.buf, *v)
}

func (w *writer) number(key string, v int64) {
	w.literal(key)
	w.buf = strconv.AppendInt(w.buf, v, 10)
}

func (w *writer) texts(key string, v []string) {
	w.literal(key)
	if v == nil {
		w.literal("null")
		return
	}
	w.literal("[")
	for i, s := range v {
		if i > 0 {
			w.literal(",")
		}
		w.string(s)
	}
	w.literal("]")
}

func (w *writer) history(key string, v *History) {
	if !v.IsZero() {
		w.literal(key)
		w.any(v)
	}
}

func (w *writer) string(s string) {
	if !plain(s) {
		w.any(s)
		return
	}
	w.buf = append(w.buf, '"')
	w.buf = append(w.buf, s...)
	w.buf = append(w.buf, '"')
}

// plain reports whether s stands in JSON as it is: ASCII that encoding/json
// does not escape, for JSON's sake or for that of HTML.
func plain(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return false
		}
	}
	return true
}

// any appends what is rare or hard.
func (w *writer) any(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		w.fail(err)
	}
	w.buf = append(w.buf, b...)
}

func (w *writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}
