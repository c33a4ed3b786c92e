package messages

import (
	"fmt"
	"slices"
	"time"

	"github.com/logoutd/logoutd/events"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// HeaderAppended holds the AppendedAt of a message that cannot be read.
const HeaderAppended = "Logoutd-Appended-At"

// ReadRequests reads a message of [StreamRequests] as [DecodeRequests] does, and sets
// AppendedAt of unfenced requests.
func ReadRequests(msg jetstream.Msg) ([]Request, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return nil, fmt.Errorf("reading requests: %w", err)
	}
	requests, err := DecodeRequests(msg.Data())
	for i := range requests {
		if r := &requests[i]; !r.Fenced && r.AppendedAt.IsZero() {
			r.AppendedAt = AppendedAt(msg.Headers(), meta.Timestamp)
		}
	}
	return requests, err
}

// AppendedAt returns when the broker first had a message that it stored at a time:
// that time, or an earlier one if the message was published again.
func AppendedAt(header nats.Header, stored time.Time) events.Time {
	if first, err := time.Parse(time.RFC3339, header.Get(HeaderAppended)); err == nil {
		return events.At(first)
	}
	return events.At(stored)
}

// EarlierOf returns the earlier of two times; one that is zero does not count.
func EarlierOf(a, b events.Time) events.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a.Time) {
		return b
	}
	return a
}

// BySubject divides requests into those that go to one subject each.
func BySubject(requests []Encoded) [][]Encoded {
	var fenced, unfenced []Encoded
	for _, r := range requests {
		if r.Unfenced {
			unfenced = append(unfenced, r)
		} else {
			fenced = append(fenced, r)
		}
	}
	return slices.DeleteFunc([][]Encoded{fenced, unfenced}, func(part []Encoded) bool { return len(part) == 0 })
}
