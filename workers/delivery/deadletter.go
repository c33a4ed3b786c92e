package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

// NewDeadLetter returns a dead letter without its content, but with the history
// that ends with the failure for which the message is given up.
func NewDeadLetter(step, id string, h messages.History) messages.DeadLetter {
	return messages.DeadLetter{
		ID: id, Step: step, Code: h.Code, Error: h.Error, Answer: h.Answer, Attempts: h.Attempts,
		FirstFailedAt: h.FirstFailedAt, LastFailedAt: h.LastFailedAt, FailedAt: events.At(time.Now()),
		Replays: h.Replays, History: h,
	}
}

// Record records a dead letter of the message with the sequence from, and counts
// it.
func (m *Metrics) Record(ctx context.Context, p *broker.Publisher, letter messages.DeadLetter, from uint64) error {
	if err := p.DeadLetter(ctx, letter, from); err != nil {
		return err
	}
	m.deadLetters.WithLabelValues(letter.Step, letter.Code).Inc()
	return nil
}

// RecordUndecodable makes a message that cannot be read a dead letter.
func (m *Metrics) RecordUndecodable(ctx context.Context, p *broker.Publisher, msg jetstream.Msg, meta *jetstream.MsgMetadata, cause error) error {
	seq := meta.Sequence.Stream
	f := &Failure{Class: Permanent, Code: CodeUndecodable, Err: cause}
	stream := "requests"
	if msg.Subject() != messages.SubjectRequests && msg.Subject() != messages.SubjectUnfenced {
		stream = "tasks"
	}
	body := msg.Data()
	if len(body) > messages.MaxBatchBytes { // nothing of ours is; a letter has to fit into a message
		f.Err = fmt.Errorf("%w (only the first %d of %d bytes are kept)", cause, messages.MaxBatchBytes, len(body))
		body = body[:messages.MaxBatchBytes]
	}
	history := messages.HistoryOf(msg.Headers()).Failed(f.Attempted(messages.StepDecode, 1, meta.NumDelivered, time.Now()))
	letter := NewDeadLetter(messages.StepDecode, fmt.Sprintf("%s-%d", stream, seq), history)
	letter.Subject, letter.Message = msg.Subject(), body
	if msg.Subject() == messages.SubjectUnfenced {
		letter.AppendedAt = messages.AppendedAt(msg.Headers(), meta.Timestamp)
	}
	return m.Record(ctx, p, letter, seq)
}
