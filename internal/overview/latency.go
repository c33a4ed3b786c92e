package overview

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
)

const (
	// latencyMessages is how many events a sample reads: of a logout a minute
	// all, of thousands a second enough for a median.
	latencyMessages = 2
	// latencyWindow is how long they count.
	latencyWindow = 5 * time.Second
)

// latency is how long logouts take that are being done.
type latency struct {
	broker  *streams
	started bool
	last    uint64 // place in the public stream that was looked at
	recent  []took // oldest first
}

// took is the time that one logout took, and when that was found out.
type took struct {
	at   time.Time
	took time.Duration
}

// look reads some of the events that came since it last did, the newest among
// them. What came before it was first asked says nothing of now.
func (l *latency) look(ctx context.Context, last uint64) error {
	first, from := !l.started, l.last
	if first || last <= from {
		l.started, l.last = true, last
		return nil
	}
	for i := uint64(1); i <= latencyMessages; i++ {
		seq := from + (last-from)*i/latencyMessages
		if seq == l.last {
			continue
		}
		if err := l.read(ctx, seq); err != nil {
			return err
		}
		l.last = seq
	}
	return nil
}

// read takes the event at a place, if there is one that tells of a logout.
func (l *latency) read(ctx context.Context, seq uint64) error {
	stream, err := l.broker.stream(ctx, events.StreamEvents)
	if err != nil {
		return err
	}
	msg, err := stream.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var e events.Event[events.Revoked]
	if json.Unmarshal(msg.Data, &e) != nil || e.Type != events.TypeRevoked(e.Data.Scope) {
		return nil
	}
	l.recent = append(l.recent, took{time.Now(), e.Data.CompletedAt.Sub(e.Data.RequestedAt.Time)})
	return nil
}

// median returns the median of what was read in the window, in milliseconds.
// Two machines may disagree about the time; nothing takes less than none.
func (l *latency) median() (millis float64, known bool) {
	begin := time.Now().Add(-latencyWindow)
	l.recent = slices.DeleteFunc(l.recent, func(t took) bool { return t.at.Before(begin) })
	if len(l.recent) == 0 {
		return 0, false
	}
	times := make([]time.Duration, len(l.recent))
	for i, t := range l.recent {
		times[i] = max(t.took, 0)
	}
	slices.Sort(times)
	return float64(times[len(times)/2].Microseconds()) / 1000, true
}
