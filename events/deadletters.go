package events

import (
	"context"
	"errors"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrNoDeadLetter says that there is no dead letter under an id: it never
// was, or it has been replayed or discarded.
var ErrNoDeadLetter = errors.New("no such dead letter")

// DeadLetters is what operators do with dead letters. Errors other than
// [ErrNoDeadLetter] mean that the broker could not be asked.
type DeadLetters struct {
	js jetstream.JetStream
}

// NewDeadLetters returns the dead letters kept by the broker behind js.
func NewDeadLetters(js jetstream.JetStream) *DeadLetters { return &DeadLetters{js: js} }

// List returns up to limit dead letters, oldest first, from the place after
// (0: from the start) on. The last letter's Seq is the next page's after;
// fewer than limit letters are the last page.
func (d *DeadLetters) List(ctx context.Context, after uint64, limit int) ([]DeadLetter, error) {
	stream, err := d.js.Stream(ctx, StreamFailed)
	if err != nil {
		return nil, unavailable("reading dead letters", err)
	}
	var letters []DeadLetter
	for len(letters) < limit {
		letter, err := nextLetter(ctx, stream, after+1, subjectFailed+">")
		if errors.Is(err, ErrNoDeadLetter) {
			break
		}
		if err != nil && !errors.Is(err, ErrNotWork) {
			return nil, err
		}
		after = letter.Seq
		if err == nil {
			letters = append(letters, letter)
		}
	}
	return letters, nil
}

// Get returns the dead letter under an id.
func (d *DeadLetters) Get(ctx context.Context, id string) (DeadLetter, error) {
	if !validToken(id) {
		return DeadLetter{}, ErrNoDeadLetter
	}
	stream, err := d.js.Stream(ctx, StreamFailed)
	if err != nil {
		return DeadLetter{}, unavailable("reading dead letter", err)
	}
	return nextLetter(ctx, stream, 1, subjectFailed+"*."+id)
}

// Replay hands the work of a dead letter to the workers again and removes the
// letter. A crash in between leaves the letter; replaying it again is
// harmless.
func (d *DeadLetters) Replay(ctx context.Context, id string) error {
	letter, err := d.Get(ctx, id)
	if err != nil {
		return err
	}
	msg, err := letter.replay()
	if err != nil {
		return err
	}
	if _, err := d.js.PublishMsg(ctx, msg); err != nil {
		return unavailable("replaying dead letter", err)
	}
	return d.remove(ctx, letter)
}

// Discard removes a dead letter; its work will not be done.
func (d *DeadLetters) Discard(ctx context.Context, id string) error {
	letter, err := d.Get(ctx, id)
	if err != nil {
		return err
	}
	return d.remove(ctx, letter)
}

// remove deletes by sequence: a letter that has failed anew meanwhile stands
// under another one and stays.
func (d *DeadLetters) remove(ctx context.Context, letter DeadLetter) error {
	stream, err := d.js.Stream(ctx, StreamFailed)
	if err != nil {
		return unavailable("removing dead letter", err)
	}
	err = stream.DeleteMsg(ctx, letter.Seq)
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) && !errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) {
		return unavailable("removing dead letter", err)
	}
	return nil
}

func nextLetter(ctx context.Context, stream jetstream.Stream, from uint64, subject string) (DeadLetter, error) {
	raw, err := stream.GetMsg(ctx, from, jetstream.WithGetMsgSubject(subject))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return DeadLetter{}, ErrNoDeadLetter
	}
	if err != nil {
		return DeadLetter{}, unavailable("reading dead letter", err)
	}
	e, err := decode[DeadLetter](raw.Data, TypeDeadLetter)
	if errors.Is(err, ErrNotWork) {
		return DeadLetter{Seq: raw.Sequence}, err
	}
	if err != nil {
		return unreadable(raw, err), nil
	}
	letter := e.Data
	letter.Seq = raw.Sequence
	if letter.Request != nil {
		letter.Request.TraceParent = e.TraceParent
	}
	if letter.Task != nil {
		letter.Task.TraceParent, letter.Task.Request.TraceParent = e.TraceParent, e.TraceParent
	}
	return letter, nil
}

// unreadable stands for what is no dead letter of ours: operators see that it
// is there, and can discard it.
func unreadable(raw *jetstream.RawStreamMsg, cause error) DeadLetter {
	step, id, _ := strings.Cut(strings.TrimPrefix(raw.Subject, subjectFailed), ".")
	at := At(raw.Time)
	return DeadLetter{
		ID: id, Step: step, Code: "unreadable", Error: cause.Error(), Seq: raw.Sequence,
		FirstFailedAt: at, LastFailedAt: at, FailedAt: at,
	}
}

// validToken reports whether s can stand as one token of a subject.
func validToken(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || c == '.' || c == '*' || c == '>' {
			return false
		}
	}
	return s != ""
}
