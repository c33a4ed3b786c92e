package events

import (
	"strings"
	"unicode/utf8"
)

// reader takes an event that stands in its form, as a [writer] leaves it. Of
// anything else, such as white space, escapes, a history or a field that it
// does not know, it says so, and encoding/json reads the message.
//
// What it takes are parts of one string, which lives as long as any of them.
type reader struct {
	rest string
	lost bool // what stands there is not what the form says
}

// shortSize is less than what a request takes in a batch, in bytes: more of
// them than are expected are copied when they are read.
const shortSize = 384

// readRequests reads requests in their form; false: they are not in it.
func readRequests(body []byte) ([]Event[Request], bool) {
	r := &reader{rest: string(body)}
	batch := make([]Event[Request], 0, min(len(body)/shortSize, MaxBatch))
	for r.literal("["); !r.lost; r.literal(",") {
		batch = append(batch, Event[Request]{})
		formOfEvent(r, &batch[len(batch)-1], formOfRequest[*reader])
		if r.rest == "]" {
			return batch, !r.lost
		}
	}
	return nil, false
}

func (r *reader) literal(s string) {
	var ok bool
	if r.rest, ok = strings.CutPrefix(r.rest, s); !ok {
		r.lost = true
	}
}

func (r *reader) text(key string, v *string) {
	r.literal(key)
	r.literal(`"`)
	var ok bool
	if *v, r.rest, ok = strings.Cut(r.rest, `"`); !ok || !verbatim(*v) {
		r.lost = true
	}
}

// verbatim reports whether s means itself between quotes: no escapes, no
// control characters, and valid UTF-8.
func verbatim(s string) bool {
	ascii := true
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c == '\\':
			return false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return ascii || utf8.ValidString(s)
}

func (r *reader) optional(key string, v *string) {
	if strings.HasPrefix(r.rest, key) {
		r.text(key, v)
	}
}

func (r *reader) time(key string, v *Time) {
	r.literal(key)
	if rest, ok := strings.CutPrefix(r.rest, "null"); ok {
		r.rest = rest
		return
	}
	var s string
	r.text("", &s)
	var err error
	if *v, err = parseTime(s); err != nil {
		r.lost = true
	}
}

func (r *reader) optionalTime(key string, v *Time) {
	if strings.HasPrefix(r.rest, key) {
		r.time(key, v)
	}
}

func (r *reader) flag(key string, v *bool) {
	r.literal(key)
	if rest, ok := strings.CutPrefix(r.rest, "true"); ok {
		*v, r.rest = true, rest
		return
	}
	r.literal("false")
}

func (r *reader) optionalTexts(key string, v *[]string) {
	if !strings.HasPrefix(r.rest, key) {
		return
	}
	r.literal(key)
	for r.literal("["); !r.lost; r.literal(",") {
		var s string
		r.text("", &s)
		*v = append(*v, s)
		if rest, ok := strings.CutPrefix(r.rest, "]"); ok {
			r.rest = rest
			return
		}
	}
}

// history takes none: a request that has one comes alone.
func (r *reader) history(string, *History) {}
