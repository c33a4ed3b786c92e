package workers_test

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// oddJetStream is a broker whose clock is off, or that does not show at once all
// that it has, as a new leader of the stream.
type oddJetStream struct {
	jetstream.JetStream
	off    time.Duration
	behind atomic.Int32 // that many answers show an empty stream instead of its subjects
	lost   atomic.Int32 // that many reads by consumers without a name bring nothing
}

func (j *oddJetStream) Stream(ctx context.Context, name string) (jetstream.Stream, error) {
	s, err := j.JetStream.Stream(ctx, name)
	return &oddStream{s, j}, err
}

func (j *oddJetStream) Consumer(ctx context.Context, stream, durable string) (jetstream.Consumer, error) {
	c, err := j.JetStream.Consumer(ctx, stream, durable)
	return &oddConsumer{c, j, false}, err
}

func (j *oddJetStream) CreateConsumer(ctx context.Context, stream string, c jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	consumer, err := j.JetStream.CreateConsumer(ctx, stream, c)
	return &oddConsumer{consumer, j, c.Durable == ""}, err
}

type oddStream struct {
	jetstream.Stream
	js *oddJetStream
}

func (s *oddStream) Info(ctx context.Context, opts ...jetstream.StreamInfoOpt) (*jetstream.StreamInfo, error) {
	info, err := s.Stream.Info(ctx, opts...)
	if err != nil {
		return nil, err
	}
	info.TimeStamp, info.Created = info.TimeStamp.Add(s.js.off), info.Created.Add(s.js.off)
	if len(opts) > 0 && s.js.behind.Add(-1) >= 0 {
		info.State = jetstream.StreamState{}
	}
	return info, nil
}

type oddConsumer struct {
	jetstream.Consumer
	js    *oddJetStream
	reads bool
}

func (c *oddConsumer) FetchNoWait(n int) (jetstream.MessageBatch, error) {
	if c.reads && c.js.lost.Add(-1) >= 0 {
		return closedBatch(nil), nil
	}
	return c.wrap(c.Consumer.FetchNoWait(n))
}

// Fetch waits for a short time, so that a worker stops soon.
func (c *oddConsumer) Fetch(n int, _ ...jetstream.FetchOpt) (jetstream.MessageBatch, error) {
	return c.wrap(c.Consumer.Fetch(n, jetstream.FetchMaxWait(50*time.Millisecond)))
}

func (c *oddConsumer) wrap(batch jetstream.MessageBatch, err error) (jetstream.MessageBatch, error) {
	if err != nil {
		return nil, err
	}
	var msgs []jetstream.Msg
	for msg := range batch.Messages() {
		msgs = append(msgs, &oddMsg{msg, c.js})
	}
	return closedBatch(batch.Error(), msgs...), nil
}

type oddMsg struct {
	jetstream.Msg
	js *oddJetStream
}

func (m *oddMsg) Metadata() (*jetstream.MsgMetadata, error) {
	meta, err := m.Msg.Metadata()
	if err != nil {
		return nil, err
	}
	shown := *meta
	shown.Timestamp = shown.Timestamp.Add(m.js.off)
	return &shown, nil
}
