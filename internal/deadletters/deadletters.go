package deadletters

import (
	"context"
	"errors"
	"fmt"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrNoDeadLetter says that there is no dead letter under an id or at a place:
// it never was, it has failed anew since and stands at another place, or it has
// been replayed or discarded.
var ErrNoDeadLetter = errors.New("no such dead letter")

// ErrUnreadable says that a dead letter is there, but cannot be replayed: it,
// or the work in it, cannot be read. It wraps [ErrNoDeadLetter].
var ErrUnreadable = fmt.Errorf("%w that can be read; discard it", ErrNoDeadLetter)

// DeadLetters is what operators do with dead letters. Errors that do not wrap
// [ErrNoDeadLetter] mean that the broker could not be asked, and wrap
// [ErrUnavailable].
type DeadLetters struct {
	js    jetstream.JetStream
	write *broker.Writer
}

// NewDeadLetters returns the dead letters kept by the broker behind js.
func NewDeadLetters(js jetstream.JetStream) *DeadLetters {
	return &DeadLetters{js: js, write: broker.NewWriter(js)}
}

// List returns up to limit dead letters, oldest first, from the place after
// (0: from the start) on. The last letter's Seq is the next page's after;
// fewer than limit letters are the last page.
func (d *DeadLetters) List(ctx context.Context, after uint64, limit int) ([]messages.DeadLetter, error) {
	stream, err := d.js.Stream(ctx, messages.StreamFailed)
	if err != nil {
		return nil, broker.Unavailable("reading dead letters", err)
	}
	var letters []messages.DeadLetter
	for len(letters) < limit {
		letter, err := nextLetter(ctx, stream, after+1, messages.SubjectFailed+">")
		if errors.Is(err, ErrNoDeadLetter) {
			break
		}
		if err != nil {
			return nil, err
		}
		after = letter.Seq
		letters = append(letters, letter)
	}
	return letters, nil
}

// Get returns the dead letter under an id.
func (d *DeadLetters) Get(ctx context.Context, id string) (messages.DeadLetter, error) {
	if !messages.ValidToken(id) {
		return messages.DeadLetter{}, ErrNoDeadLetter
	}
	stream, err := d.js.Stream(ctx, messages.StreamFailed)
	if err != nil {
		return messages.DeadLetter{}, broker.Unavailable("reading dead letter", err)
	}
	return nextLetter(ctx, stream, 1, messages.SubjectFailed+"*."+id)
}

// GetAt returns the dead letter at a place in [StreamFailed] (DeadLetter.Seq).
func (d *DeadLetters) GetAt(ctx context.Context, seq uint64) (messages.DeadLetter, error) {
	stream, err := d.js.Stream(ctx, messages.StreamFailed)
	if err != nil {
		return messages.DeadLetter{}, broker.Unavailable("reading dead letter", err)
	}
	return letterAt(ctx, stream, seq)
}

func letterAt(ctx context.Context, stream jetstream.Stream, seq uint64) (messages.DeadLetter, error) {
	return readLetter(messageAt(ctx, stream, seq))
}

// messageAt returns jetstream.ErrMsgNotFound also for the place 0, which the
// broker refuses in prose.
func messageAt(ctx context.Context, stream jetstream.Stream, seq uint64) (*jetstream.RawStreamMsg, error) {
	if seq == 0 {
		return nil, jetstream.ErrMsgNotFound
	}
	return stream.GetMsg(ctx, seq)
}

func nextLetter(ctx context.Context, stream jetstream.Stream, from uint64, subject string) (messages.DeadLetter, error) {
	return readLetter(stream.GetMsg(ctx, from, jetstream.WithGetMsgSubject(subject)))
}

// readLetter reads what the broker has answered.
func readLetter(raw *jetstream.RawStreamMsg, err error) (messages.DeadLetter, error) {
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return messages.DeadLetter{}, ErrNoDeadLetter
	}
	if err != nil {
		return messages.DeadLetter{}, broker.Unavailable("reading dead letter", err)
	}
	return decode(raw.Subject, raw.Sequence, raw.Time, raw.Data), nil
}
