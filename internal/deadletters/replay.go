package deadletters

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

const (
	// replayedTogether is how many letters are put back in one atomic batch.
	replayedTogether = 256
	// askedTogether is how many questions to the broker are under way at once.
	askedTogether = 16
)

// ReplayAll hands the work of the dead letters at some places to the workers
// again, and removes the letters. The results are in the order of seqs: nil, or
// an error that wraps [ErrNoDeadLetter], or one of encoding. The whole error
// wraps [ErrUnavailable]; any of the letters may have been replayed then.
//
// Replaying the same places again, after a crash or by two operators at once,
// is harmless: for the two minutes in which the broker knows a message id again
// the work of a letter is put back once, and a letter that has failed anew
// stands at another place. That is why each letter is a message of its own,
// under an id made of its own id and place, also among requests, of which many
// could share a message: that would need an id for just these, and what a crash
// leaves is others. An atomic batch costs the same one fsync.
func (d *DeadLetters) ReplayAll(ctx context.Context, seqs []uint64, r messages.Replayed) ([]error, error) {
	return d.each(ctx, seqs, func(stream jetstream.Stream, part []uint64) ([]error, error) {
		return d.replay(ctx, stream, part, r)
	})
}

// DiscardAll removes the dead letters at some places; their work will not be
// done. Results and error are as those of [DeadLetters.ReplayAll].
func (d *DeadLetters) DiscardAll(ctx context.Context, seqs []uint64) ([]error, error) {
	return d.each(ctx, seqs, func(stream jetstream.Stream, part []uint64) ([]error, error) {
		return d.remove(ctx, stream, part)
	})
}

// ReplayAt is [DeadLetters.ReplayAll] of one.
func (d *DeadLetters) ReplayAt(ctx context.Context, seq uint64, r messages.Replayed) error {
	return one(d.ReplayAll(ctx, []uint64{seq}, r))
}

// DiscardAt is [DeadLetters.DiscardAll] of one.
func (d *DeadLetters) DiscardAt(ctx context.Context, seq uint64) error {
	return one(d.DiscardAll(ctx, []uint64{seq}))
}

// Replay is [DeadLetters.ReplayAt] of the letter under an id.
func (d *DeadLetters) Replay(ctx context.Context, id string) error {
	letter, err := d.Get(ctx, id)
	if err != nil {
		return err
	}
	return d.ReplayAt(ctx, letter.Seq, messages.Replayed{})
}

// Discard is [DeadLetters.DiscardAt] of the letter under an id.
func (d *DeadLetters) Discard(ctx context.Context, id string) error {
	letter, err := d.Get(ctx, id)
	if err != nil {
		return err
	}
	return d.DiscardAt(ctx, letter.Seq)
}

func one(results []error, err error) error {
	if err != nil {
		return err
	}
	return results[0]
}

// each does a part of the places after the other and collects the results.
func (d *DeadLetters) each(
	ctx context.Context, seqs []uint64, do func(jetstream.Stream, []uint64) ([]error, error),
) ([]error, error) {
	stream, err := d.js.Stream(ctx, messages.StreamFailed)
	if err != nil {
		return nil, broker.Unavailable("reading dead letters", err)
	}
	results := make([]error, 0, len(seqs))
	for part := range slices.Chunk(seqs, replayedTogether) {
		ofPart, err := do(stream, part)
		if err != nil {
			return nil, err
		}
		d.announce(part, ofPart)
		results = append(results, ofPart...)
	}
	return results, nil
}

// announce tells which letters are gone, also those that were gone before.
// Whoever misses it has to ask the stream now and then.
func (d *DeadLetters) announce(seqs []uint64, results []error) {
	var gone []uint64
	for i, err := range results {
		if err == nil || errors.Is(err, ErrNoDeadLetter) && !errors.Is(err, ErrUnreadable) { // what cannot be read is still there
			gone = append(gone, seqs[i])
		}
	}
	if body, err := json.Marshal(gone); err == nil && len(gone) > 0 {
		_ = d.js.Conn().Publish(messages.SubjectLettersRemoved, body)
	}
}

// replay has all work on disk before it removes the first letter.
func (d *DeadLetters) replay(ctx context.Context, stream jetstream.Stream, seqs []uint64, r messages.Replayed) ([]error, error) {
	msgs := make([]*nats.Msg, len(seqs))
	results, err := together(seqs, func(i int) error {
		letter, err := letterAt(ctx, stream, seqs[i])
		if err == nil {
			msgs[i], err = replayMessage(letter, r)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var done []uint64
	for i, msg := range msgs {
		if msg != nil {
			done = append(done, seqs[i])
		}
	}
	if err := d.putBack(ctx, msgs); err != nil {
		return nil, err
	}
	_, err = d.remove(ctx, stream, done) // what is gone has failed anew, or somebody else has replayed it
	return results, err
}

// putBack publishes the messages that are not nil.
func (d *DeadLetters) putBack(ctx context.Context, msgs []*nats.Msg) error {
	var requests, tasks []*nats.Msg
	for _, msg := range msgs {
		switch {
		case msg == nil:
		case msg.Subject == messages.SubjectRequests, msg.Subject == messages.SubjectUnfenced:
			requests = append(requests, msg)
		default:
			tasks = append(tasks, msg)
		}
	}
	for _, ofStream := range [][]*nats.Msg{requests, tasks} {
		if err := d.write.All(ctx, ofStream); err != nil {
			return fmt.Errorf("replaying dead letters: %w", err)
		}
	}
	return nil
}

// remove deletes by place: a letter that has failed anew meanwhile stands at
// another one and stays.
func (d *DeadLetters) remove(ctx context.Context, stream jetstream.Stream, seqs []uint64) ([]error, error) {
	return together(seqs, func(i int) error {
		err := stream.DeleteMsg(ctx, seqs[i])
		if errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) { // the broker says why in prose only
			if _, gone := messageAt(ctx, stream, seqs[i]); errors.Is(gone, jetstream.ErrMsgNotFound) {
				return ErrNoDeadLetter
			}
		}
		if err != nil {
			return broker.Unavailable("removing dead letter", err)
		}
		return nil
	})
}

// together does something for each place, several at once. The whole error is
// that of a broker that is away.
func together(seqs []uint64, do func(i int) error) ([]error, error) {
	results := make([]error, len(seqs))
	var group errgroup.Group
	group.SetLimit(askedTogether)
	for i := range seqs {
		group.Go(func() error {
			results[i] = do(i)
			if errors.Is(results[i], broker.ErrUnavailable) {
				return results[i]
			}
			return nil
		})
	}
	return results, group.Wait()
}

// replayMessage returns the message that puts the work of the letter back where it
// came from, with its retries counted anew. The message id is bound to this
// letter at this place, so that it is put back once.
func replayMessage(d messages.DeadLetter, r messages.Replayed) (*nats.Msg, error) {
	id := fmt.Sprintf("%s.replay.%d", d.ID, d.Seq)
	history := d.History.Replay(r)
	switch {
	case d.Delivery != nil && d.Delivery.Check() == nil:
		delivery := *d.Delivery
		delivery.History = history
		return delivery.Message(id)
	case d.Delivery == nil && d.Request != nil && d.Request.Check() == nil:
		request := *d.Request
		request.History = history
		return messages.RequestBatch(id, []messages.Request{request})
	case d.Step == messages.StepDecode && (ofRequests(d) || strings.HasPrefix(d.Subject, messages.SubjectTasks)):
		return replayUnread(d, id, history)
	default:
		return nil, ErrUnreadable
	}
}

func ofRequests(d messages.DeadLetter) bool {
	return d.Subject == messages.SubjectRequests || d.Subject == messages.SubjectUnfenced
}

// replayUnread puts a message back that could not be read, as it was; its
// history is beside it.
func replayUnread(d messages.DeadLetter, id string, history messages.History) (*nats.Msg, error) {
	msg := messages.NewMessage(d.Subject, id, events.ContentType, "", d.Message)
	if ofRequests(d) {
		msg.Header.Set("content-type", messages.ContentTypeBatch)
	}
	if !d.AppendedAt.IsZero() {
		msg.Header.Set(messages.HeaderAppended, d.AppendedAt.String())
	}
	past, err := json.Marshal(history)
	if err != nil {
		return nil, fmt.Errorf("encoding history: %w", err)
	}
	msg.Header.Set(messages.HeaderHistory, string(past))
	return msg, nil
}
