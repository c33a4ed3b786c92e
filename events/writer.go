package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
)

// writer appends an event to buf, to the byte as encoding/json does.
type writer struct {
	buf []byte
	err error // the first
}

// encoder encodes events with one type of data.
type encoder[T any] struct {
	data   func(*writer, *T) // the form of the data
	drafts sync.Pool         // of *draft[T]: made anew for each event they would be most of what is allocated
}

// draft is an event and what it is written into.
type draft[T any] struct {
	writer
	event Event[T]
}

// encode returns an event in its form.
func (c *encoder[T]) encode(e Event[T]) ([]byte, error) {
	d, ok := c.drafts.Get().(*draft[T])
	if !ok {
		d = &draft[T]{}
	}
	defer c.drafts.Put(d)
	d.event, d.buf, d.err = e, d.buf[:0], nil
	formOfEvent(&d.writer, &d.event, c.data)
	if d.err != nil {
		return nil, fmt.Errorf("encoding event: %w", d.err)
	}
	return bytes.Clone(d.buf), nil
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

func (w *writer) optionalTexts(key string, v *[]string) {
	if len(*v) > 0 {
		w.texts(key, *v)
	}
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
