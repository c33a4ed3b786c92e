package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
)

const (
	// tailLength is the number of events on the page at the start.
	tailLength = 50
	// tailRound is how often a live page gets new events, tailMost the maximum
	// number at once: nobody reads more.
	tailRound = 500 * time.Millisecond
	tailMost  = 50
)

// eventsPage is the tail of the public events, newest first.
type eventsPage struct {
	Events []eventRow
	Last   uint64 // the sequence of the newest
	Left   int    // the number of newer events that are not shown
	Now    time.Time
	// Unknown reports that the events could not be read.
	Unknown bool
}

func (c *console) events(v *visit) (view, error) {
	p := eventsPage{Now: time.Now().UTC()}
	if err := c.latest(v.Context(), &p); err != nil {
		p.Unknown = true
		v.missing(c, "The events", fmt.Errorf("%w: %w", broker.ErrUnavailable, err))
	}
	return view{template: "events", title: "Live events", section: "events", refresh: 5, data: p}, nil
}

// latest reads the events at the end of the stream.
func (c *console) latest(ctx context.Context, p *eventsPage) error {
	stream, err := c.JetStream.Stream(ctx, events.StreamEvents)
	if err != nil {
		return err
	}
	state := stream.CachedInfo().State
	p.Last = state.LastSeq
	for seq := state.LastSeq; seq > 0 && seq >= state.FirstSeq && seq+tailLength > state.LastSeq; seq-- {
		msg, err := stream.GetMsg(ctx, seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		p.Events = append(p.Events, read(msg.Sequence, msg.Data, msg.Time))
	}
	return nil
}

// followEvents sends the events after those on the page. If the broker becomes
// unavailable it ends; the browser reconnects and continues after the last event.
func (c *console) followEvents(s *stream) error {
	after := cmp.Or(s.visit.Header.Get("Last-Event-ID"), s.visit.URL.Query().Get("after"), "0")
	last, err := strconv.ParseUint(after, 10, 64)
	if err != nil {
		return err
	}
	consumer, err := c.JetStream.OrderedConsumer(s.ctx, events.StreamEvents, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: last + 1, MaxResetAttempts: 1,
	})
	if err != nil {
		return err
	}
	in, broken := &inbox{}, make(chan error, 1)
	consuming, err := consumer.Consume(in.add, jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
		select {
		case broken <- err:
		default:
		}
	}))
	if err != nil {
		return err
	}
	defer consuming.Stop()
	return s.pump(in, broken)
}

// pump sends the events in the inbox, twice a second.
func (s *stream) pump(in *inbox, broken <-chan error) error {
	round := time.NewTicker(tailRound)
	defer round.Stop()
	err := s.alive() // tells the page that it is live
	for ; err == nil; err = s.sendEvents(in.take()) {
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case err := <-broken:
			return err
		case <-s.beat.C:
			if err := s.alive(); err != nil {
				return err
			}
		case <-round.C:
		}
	}
	return err
}

func (s *stream) sendEvents(p eventsPage) error {
	if len(p.Events) == 0 {
		return nil
	}
	html, err := fragment("events", "rows", p)
	if err != nil {
		return err
	}
	return s.send("rows", strconv.FormatUint(p.Last, 10), html)
}

// inbox collects the newest events until take is called.
type inbox struct {
	mu     sync.Mutex
	events []eventRow
	left   int
}

func (in *inbox) add(msg jetstream.Msg) {
	meta, err := msg.Metadata()
	if err != nil {
		return // not from a stream
	}
	h := read(meta.Sequence.Stream, msg.Data(), meta.Timestamp)
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.events = append(in.events, h); len(in.events) > tailMost {
		in.events, in.left = in.events[1:], in.left+1
	}
}

// take empties the inbox, newest first.
func (in *inbox) take() eventsPage {
	in.mu.Lock()
	defer in.mu.Unlock()
	p := eventsPage{Events: in.events, Left: in.left, Now: time.Now().UTC()}
	in.events, in.left = nil, 0
	slices.Reverse(p.Events)
	if len(p.Events) > 0 {
		p.Last = p.Events[0].Seq
	}
	return p
}
