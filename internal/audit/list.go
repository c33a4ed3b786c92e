package audit

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

// How many entries List returns.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// maxChunk is how many entries are read at once, in search of those that
// match.
const maxChunk = 4096

// maxSkew is how far the clocks of processes and broker may be apart: an entry
// that the broker took that much before Filter.From is the last one read.
const maxSkew = time.Hour

// ErrCursor says that a cursor is none that List returned.
var ErrCursor = errors.New("not a cursor of the audit log")

// Filter narrows what is listed. Zero values do not.
type Filter struct {
	By, Action, JobID string
	From, To          time.Time // Entry.At in [From, To)
}

func (f Filter) matches(e Entry) bool {
	return (f.By == "" || e.By == f.By) &&
		(f.Action == "" || e.Action == f.Action) &&
		(f.JobID == "" || e.JobID == f.JobID) &&
		(f.From.IsZero() || !e.At.Before(f.From)) &&
		(f.To.IsZero() || e.At.Before(f.To))
}

// isBehind reports whether nothing that matches can come before p.
func (f Filter) isBehind(p placed) bool {
	return !f.From.IsZero() && p.taken.Before(f.From.Add(-maxSkew))
}

// List returns up to limit entries (0: 100; at most 1,000), the newest first:
// those before a cursor, or from the newest on where it is empty. next is the
// cursor of what follows, empty at the end. It reads backwards until it has
// them, all of the log where nothing matches. Errors: [ErrCursor], or one that
// wraps [events.ErrUnavailable].
func (l *Log) List(ctx context.Context, f Filter, before string, limit int) (entries []Entry, next string, err error) {
	end, err := parseCursor(before)
	if err != nil {
		return nil, "", err
	}
	stream, err := l.js.Stream(ctx, messages.StreamAudit)
	if err != nil {
		return nil, "", broker.Unavailable("reading audit log", err)
	}
	p := page{filter: f, limit: limitOf(limit)}
	first, end := extent(stream, end)
	for size := uint64(p.limit) + 1; end > first && !p.done; size = min(2*size, maxChunk) {
		from := max(first, end-min(end, size))
		chunk, err := readChunk(ctx, stream, from, end)
		if err != nil {
			return nil, "", err
		}
		p.add(chunk)
		end = from
	}
	return p.entries, p.next, nil
}

func limitOf(limit int) int {
	if limit <= 0 {
		return defaultLimit
	}
	return min(limit, maxLimit)
}

// parseCursor returns the place before which entries are wanted.
func parseCursor(cursor string) (uint64, error) {
	if cursor == "" {
		return 1<<64 - 1, nil
	}
	place, err := strconv.ParseUint(cursor, 10, 64)
	if err != nil {
		return 0, ErrCursor
	}
	return place, nil
}

// extent returns where entries before end lie: in [first, last).
func extent(stream jetstream.Stream, end uint64) (first, last uint64) {
	state := stream.CachedInfo().State
	return max(1, state.FirstSeq), min(end, state.LastSeq+1)
}

// page collects what List returns.
type page struct {
	filter  Filter
	limit   int
	entries []Entry
	last    uint64 // place of the last entry
	next    string
	done    bool
}

// add takes what matches of a chunk, from its end on. The page is done with
// the first entry that has no room, so that next says that there is one.
func (p *page) add(chunk []placed) {
	for _, candidate := range slices.Backward(chunk) {
		switch {
		case p.filter.isBehind(candidate):
			p.done = true
			return
		case !p.filter.matches(candidate.Entry):
			continue
		case len(p.entries) == p.limit:
			p.next, p.done = strconv.FormatUint(p.last, 10), true
			return
		}
		p.entries, p.last = append(p.entries, candidate.Entry), candidate.seq
	}
}
