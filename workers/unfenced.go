package workers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

const (
	// readMessages is how many messages of unfenced requests one pull reads.
	readMessages = 256
	// lookAttempts is how often the revoker reads the stream's state before the
	// broker counts as down, lookAgain the time between: a new leader needs some
	// hundred milliseconds to catch up with the one before it.
	lookAttempts = 10
	lookAgain    = 20 * time.Millisecond
	// readerLife is how long the broker keeps the unused consumer that reads
	// them: longer than the time between two rounds in an outage.
	readerLife = time.Minute
)

var errBehind = errors.New("the broker shows less of the stream than it has delivered")

// unfenced is an index of the unfenced requests on the stream. It knows from when
// each of their sessions has to be dead: see package store on newer logins. The
// revoker updates it before it works on a request.
type unfenced struct {
	js    jetstream.JetStream
	clock func(context.Context) (time.Time, error) // the store's

	mu        sync.Mutex
	stream    jetstream.Stream
	created   time.Time          // of the stream: after a loss another stream has the same name
	reader    jetstream.Consumer // nil: to be created
	delivered uint64             // by the reader
	messages  []unfencedMessage  // in the order of the stream
	bounds    map[string][]sessionBound
}

// unfencedMessage is a message that was read.
type unfencedMessage struct {
	seq      uint64
	requests []messages.Request
}

// sessionBound is the latest cutoff of a session, as one message tells.
type sessionBound struct {
	seq uint64
	at  events.Time
}

func newUnfenced(js jetstream.JetStream, clock func(context.Context) (time.Time, error)) *unfenced {
	return &unfenced{js: js, clock: clock, bounds: map[string][]sessionBound{}}
}

// earliest returns the latest cutoff that a logout of the session can have, given
// the known requests. It returns false if there are none.
func (u *unfenced) earliest(sessionID string) (at events.Time, found bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, b := range u.bounds[sessionID] {
		at, found = messages.EarlierOf(at, b.at), true
	}
	return at, found
}

// clocks reads the clocks of store and broker.
func (u *unfenced) clocks(ctx context.Context) (broker.Clocks, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.open(ctx); err != nil {
		return broker.Clocks{}, err
	}
	return u.readClocks(ctx)
}

func (u *unfenced) readClocks(ctx context.Context) (broker.Clocks, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return broker.ReadClocks(ctx, u.stream, u.clock)
}

func (u *unfenced) open(ctx context.Context) (err error) {
	if u.stream == nil {
		u.stream, err = u.js.Stream(ctx, messages.StreamRequests)
	}
	if err != nil {
		return fmt.Errorf("looking at unfenced requests: %w: %w", broker.ErrUnavailable, err)
	}
	return nil
}

// look reads all unfenced requests that were on the stream before the last of some
// deliveries. An error means that the store or the broker is down.
func (u *unfenced) look(ctx context.Context, deliveries []pulled) error {
	last := slices.MaxFunc(deliveries, func(a, b pulled) int { return cmp.Compare(a.seq, b.seq) })
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.open(ctx); err != nil {
		return err
	}
	var err error
	for range lookAttempts {
		if err = u.lookOnce(ctx, last); err == nil {
			return nil
		}
		if errors.Is(err, store.ErrUnavailable) {
			return err
		}
		wait(ctx, lookAgain)
	}
	return fmt.Errorf("looking at unfenced requests: %w: %w", broker.ErrUnavailable, err)
}

// lookOnce fails if it does not know all of them yet.
func (u *unfenced) lookOnce(ctx context.Context, last pulled) error {
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	info, err := u.stream.Info(asking, jetstream.WithSubjectFilter(messages.SubjectUnfenced))
	if err != nil {
		return err
	}
	if !info.Created.Equal(u.created) {
		u.reset()
		u.created = info.Created
	}
	if info.State.LastSeq < last.seq && !last.appended.Before(info.Created) {
		return errBehind
	}
	u.forgetBelow(info.State.FirstSeq)
	count := info.State.Subjects[messages.SubjectUnfenced]
	if count == 0 {
		u.reset()
		return nil
	}
	err = u.read(ctx)
	if err == nil && uint64(len(u.messages)) < count {
		err = errBehind
	}
	if err != nil {
		u.reset()
	}
	return err
}

// reset empties the index, to be read again from the beginning.
func (u *unfenced) reset() {
	u.reader, u.messages = nil, nil
	clear(u.bounds)
}

// forgetBelow removes purged requests, which were carried out.
func (u *unfenced) forgetBelow(first uint64) {
	n := 0
	for ; n < len(u.messages) && u.messages[n].seq < first; n++ {
		for _, r := range u.messages[n].requests {
			left := slices.DeleteFunc(u.bounds[r.SessionID], func(b sessionBound) bool { return b.seq < first })
			if u.bounds[r.SessionID] = left; len(left) == 0 {
				delete(u.bounds, r.SessionID)
			}
		}
	}
	u.messages = u.messages[n:]
}

// read reads new requests, to the end of the stream.
func (u *unfenced) read(ctx context.Context) error {
	var fresh []unfencedMessage
	for end := false; !end; {
		msgs, err := u.pull(ctx)
		if err != nil {
			return err
		}
		end = len(msgs) == 0
		for _, msg := range msgs {
			meta, err := msg.Metadata()
			if err != nil {
				return err
			}
			if u.delivered++; meta.Sequence.Consumer != u.delivered {
				return errBehind // a message was lost in transit
			}
			requests, _ := messages.ReadRequests(msg) // an unreadable message names no session
			for i := range requests {
				requests[i] = messages.Request{
					SessionID: requests[i].SessionID, Cutoff: requests[i].Cutoff, AppendedAt: requests[i].AppendedAt,
				}
			}
			fresh = append(fresh, unfencedMessage{meta.Sequence.Stream, requests})
			end = meta.NumPending == 0
		}
	}
	return u.add(ctx, fresh)
}

func (u *unfenced) pull(ctx context.Context) ([]jetstream.Msg, error) {
	if u.reader == nil {
		asking, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		start := uint64(1)
		if n := len(u.messages); n > 0 {
			start = u.messages[n-1].seq + 1
		}
		reader, err := u.js.CreateConsumer(asking, messages.StreamRequests, jetstream.ConsumerConfig{
			DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: start,
			FilterSubject: messages.SubjectUnfenced, AckPolicy: jetstream.AckNonePolicy,
			InactiveThreshold: readerLife, MemoryStorage: true, Replicas: 1,
		})
		if err != nil {
			return nil, err
		}
		u.reader, u.delivered = reader, 0
	}
	return broker.Collect(u.reader.FetchNoWait(readMessages))
}

// add adds what was read, with the current clocks.
func (u *unfenced) add(ctx context.Context, fresh []unfencedMessage) error {
	if len(fresh) == 0 {
		return nil
	}
	clocks, err := u.readClocks(ctx)
	if err != nil {
		return err
	}
	for _, m := range fresh {
		for _, r := range m.requests {
			if r.SessionID != "" {
				u.bounds[r.SessionID] = append(u.bounds[r.SessionID], sessionBound{m.seq, clocks.Bound(r)})
			}
		}
		u.messages = append(u.messages, m)
	}
	return nil
}
