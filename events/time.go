package events

import (
	"errors"
	"strings"
	"time"
)

// timeLayout is RFC 3339 with milliseconds; times are written in UTC.
const timeLayout = "2006-01-02T15:04:05.000Z07:00"

// Time is a point in time as it stands on the wire: RFC 3339 with
// milliseconds, in UTC. The zero value is written as null.
type Time struct{ time.Time }

// At returns t as a [Time], cut to the millisecond.
func At(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{t.UTC().Truncate(time.Millisecond)}
}

// String returns the form on the wire.
func (t Time) String() string { return t.UTC().Format(timeLayout) }

// MarshalJSON implements [json.Marshaler]. It fails outside of the years 0 to
// 9999: nobody could read the message, nor what else is in it.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	if !writable(t.Time) {
		return nil, errors.New("a time outside of the years 0 to 9999")
	}
	return t.UTC().AppendFormat(make([]byte, 0, len(timeLayout)), `"`+timeLayout+`"`), nil
}

// UnmarshalJSON implements [json.Unmarshaler]. It reads any RFC 3339 time and
// cuts it to the millisecond.
func (t *Time) UnmarshalJSON(b []byte) error {
	s := string(b)
	if s == "null" {
		return nil
	}
	parsed, err := parseTime(strings.Trim(s, `"`))
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}

func parseTime(s string) (Time, error) {
	parsed, err := time.Parse(time.RFC3339, s)
	if err != nil || !writable(parsed) {
		return Time{}, errors.New("not an RFC 3339 time")
	}
	return At(parsed), nil
}

// writable reports whether RFC 3339 has a form for t in UTC.
func writable(t time.Time) bool { return t.UTC().Year() >= 0 && t.UTC().Year() <= 9999 }
