package events

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// headerAppended holds the AppendedAt of a message that cannot be read.
const headerAppended = "Logoutd-Appended-At"

// ReadRequests reads a message of [StreamRequests] as [DecodeRequests] does,
// and notes when the broker first had what is not fenced.
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

// AppendedAt is when the broker first had a message that it has stored at the
// time: earlier, where the message was put back.
func AppendedAt(header nats.Header, stored time.Time) Time {
	if first, err := parseTime(header.Get(headerAppended)); err == nil {
		return first
	}
	return At(stored)
}

// Clocks are the times that store and broker showed, the store first.
type Clocks struct{ Store, Broker time.Time }

// ReadClocks reads both clocks: the broker's is that of the stream's leader.
func ReadClocks(
	ctx context.Context, stream jetstream.Stream, store func(context.Context) (time.Time, error),
) (c Clocks, err error) {
	if c.Store, err = store(ctx); err != nil {
		return c, err
	}
	info, err := stream.Info(ctx)
	if err != nil {
		return c, unavailable("reading the broker's clock", err)
	}
	c.Broker = info.TimeStamp
	return c, nil
}

const (
	// leastMargin is the precision of times. The clocks of store and broker may
	// run at rates that differ by a thousandth, far more than real ones do;
	// beyond maxMargin they are set right by then.
	leastMargin = time.Millisecond
	marginRate  = 1000
	maxMargin   = 4 * time.Second
)

// Bound is the latest cutoff, by the store's clock, that a request may have
// which is not fenced: what it brings, or else a little less than the time
// when the broker first had it. It is early rather than late.
func (c Clocks) Bound(r Request) Time {
	if !r.Cutoff.IsZero() {
		return r.Cutoff
	}
	age := max(c.Broker.Sub(r.AppendedAt.Time), 0)
	margin := min(leastMargin+age/marginRate, maxMargin)
	return At(c.Store.Add(-age - margin))
}

// EarlierOf returns the earlier of two times; one that is zero does not count.
func EarlierOf(a, b Time) Time {
	if a.IsZero() || !b.IsZero() && b.Before(a.Time) {
		return b
	}
	return a
}

// bySubject divides requests into those that go to one subject each.
func bySubject(requests []encodedRequest) [][]encodedRequest {
	var fenced, unfenced []encodedRequest
	for _, r := range requests {
		if r.unfenced {
			unfenced = append(unfenced, r)
		} else {
			fenced = append(fenced, r)
		}
	}
	return slices.DeleteFunc([][]encodedRequest{fenced, unfenced}, func(part []encodedRequest) bool { return len(part) == 0 })
}
