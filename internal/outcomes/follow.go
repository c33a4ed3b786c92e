package outcomes

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/messages"
)

// Piece is a request or a delivery, waiting or failed.
type Piece struct {
	ID        string // of the request or the delivery
	RequestID string // of the request that it comes from
	Job       string // that replayed it, or what it comes from, last
	Replays   int    // how often it was replayed itself
}

// Follow returns what looks at the work of a job since a mark. handed is how
// many items the job has handed to the workers. item returns the item of the
// job that a piece belongs to; empty: it is not of the job.
//
// What a look costs depends on what is waiting and on what failed since the
// last one. It is for one caller at a time.
func Follow(js jetstream.JetStream, mark json.RawMessage, handed int, item func(Piece) string) (jobs.Look, error) {
	f := &follower{js: js, item: item, handed: handed, failed: map[string]struct{}{}}
	if err := json.Unmarshal(mark, &f.mark); err != nil {
		return nil, fmt.Errorf("reading the mark of a job: %w", err)
	}
	f.read = f.mark.Events
	return f.look, nil
}

type follower struct {
	js     jetstream.JetStream
	mark   Mark
	item   func(Piece) string
	handed int
	read   uint64              // up to where public events were read
	failed map[string]struct{} // the items that failed so far
}

// look reads what is waiting before it reads what failed: a worker announces a
// failure before it acknowledges, so that nothing is missed that goes from one
// to the other meanwhile.
func (f *follower) look(ctx context.Context) (jobs.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*ReadTimeout)
	defer cancel()
	state, lost, err := f.streams(ctx)
	if err != nil {
		return jobs.Outcome{}, unavailable(err)
	}
	pending, open, whole, err := f.pending(ctx)
	if err != nil {
		return jobs.Outcome{}, unavailable(err)
	}
	if lost == "" {
		lost, err = f.failures(ctx, state)
	}
	if err != nil {
		return jobs.Outcome{}, unavailable(err)
	}
	o := jobs.Outcome{Handed: f.handed, NotKnown: lost}
	for item := range f.failed {
		if _, waits := pending[item]; !waits {
			o.Failed++
		}
	}
	o.Failed = min(o.Failed, o.Handed)
	o.Pending = min(len(pending), open)
	if !whole { // some of the rest may wait too
		o.Pending = open
	}
	o.Pending = min(o.Pending, o.Handed-o.Failed)
	return o, nil
}

// streams returns the state of the public events, and why what became of the
// job is lost, where a stream is not the one that it was.
func (f *follower) streams(ctx context.Context) (state jetstream.StreamState, lost string, err error) {
	for _, name := range followed {
		stream, err := f.js.Stream(ctx, name)
		if err != nil {
			return state, "", err
		}
		info := stream.CachedInfo()
		if info.Created.UnixNano() != f.mark.Created[name] {
			return state, "the stream " + name + " was created again since the job began", nil
		}
		if name == events.StreamEvents {
			state = info.State
		}
	}
	return state, "", nil
}

// pending returns the items that wait, and how many pieces of work can wait at
// most. whole is false where not all could be read.
func (f *follower) pending(ctx context.Context) (items map[string]struct{}, open int, whole bool, err error) {
	items = map[string]struct{}{}
	note := func(p Piece) {
		if item := f.item(p); item != "" {
			items[item] = struct{}{}
		}
	}
	err = broker.PendingMessages(ctx, f.js, func(msg jetstream.Msg) error {
		requests, err := messages.ReadRequests(msg)
		if err != nil {
			note(unread(msg))
		}
		for _, r := range requests {
			note(Piece{ID: r.ID, RequestID: r.ID, Job: r.History.Job(), Replays: r.History.Replays})
		}
		return nil
	})
	if err != nil {
		return nil, 0, false, err
	}
	open, whole = len(items), true
	err = eachTarget(ctx, f.js, f.mark.Tasks, func(_ Waiting, atMost int, read reader) error {
		before := len(items)
		complete, err := read(func(msg jetstream.Msg) {
			task, err := messages.DecodeDelivery(msg.Data())
			if err != nil {
				note(unread(msg))
				return
			}
			note(Piece{ID: task.ID, RequestID: task.Request.ID, Job: task.History.Job(), Replays: task.History.Replays})
		})
		whole = whole && complete
		if complete {
			atMost = min(atMost, len(items)-before)
		}
		open += atMost
		return err
	})
	return items, open, whole, err
}

// unread is a message that cannot be decoded. If it was replayed, its message
// id begins with the id of its dead letter.
func unread(msg jetstream.Msg) Piece {
	h := messages.HistoryOf(msg.Headers())
	id, _, _ := strings.Cut(msg.Headers().Get(nats.MsgIdHdr), ".replay.")
	return Piece{ID: id, Job: h.Job(), Replays: h.Replays}
}

// failures takes in the dead letters that were announced since the last look.
// lost says why, where some of them cannot be known.
func (f *follower) failures(ctx context.Context, state jetstream.StreamState) (lost string, err error) {
	if state.FirstSeq > f.read+1 {
		return "public events were removed before they were read", nil
	}
	stream, err := f.js.Stream(ctx, events.StreamEvents)
	if err != nil {
		return "", err
	}
	upTo := stream.CachedInfo().State.LastSeq
	whole, err := readFrom(ctx, stream, events.SubjectRevocationFailed, f.read+1)(func(msg jetstream.Msg) {
		if meta, err := msg.Metadata(); err == nil {
			f.read = meta.Sequence.Stream
		}
		var e events.Event[events.Failed]
		if json.Unmarshal(msg.Data(), &e) != nil {
			return
		}
		if item := f.item(Piece{ID: e.Data.DeadLetterID, RequestID: e.Data.RequestID, Job: e.Data.Job, Replays: e.Data.Replays}); item != "" {
			f.failed[item] = struct{}{}
		}
	})
	if err == nil && !whole {
		return "", context.DeadlineExceeded // the next look goes on here
	}
	if err == nil {
		f.read = max(f.read, upTo)
	}
	return "", err
}
