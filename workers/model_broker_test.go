package workers_test

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/messages"
)

// modelBroker is a real broker on the clock of a model: it stamps messages, and
// answers what time it is, by that clock.
type modelBroker struct {
	jetstream.JetStream
	clock *modelClock

	mu       sync.Mutex
	stamps   map[uint64]time.Time // of the messages on the stream of requests
	returned map[uint64]string    // where to refuse those that were given back and not pulled since
}

// giveBack returns a message of a worker that has ended: the broker would wait
// for the end of AckWait.
func (b *modelBroker) giveBack(m *modelMsg) {
	meta, err := m.Msg.Metadata()
	if err != nil {
		return
	}
	b.mu.Lock()
	b.returned[meta.Sequence.Stream] = m.Reply()
	b.mu.Unlock()
	b.refuseReturned()
}

// refuseReturned has the broker deliver again what was given back. nats-server
// 2.15 forgets at each purge of the stream which messages it wants to deliver
// again, and comes back to them after AckWait.
func (b *modelBroker) refuseReturned() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, reply := range b.returned {
		_ = b.Conn().Publish(reply, []byte("-NAK"))
	}
	_ = b.Conn().Flush()
}

func (b *modelBroker) pulled(seq uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.returned, seq)
}

// append publishes a message and stamps it.
func (b *modelBroker) append(ctx context.Context, msg *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ack, err := b.JetStream.PublishMsg(ctx, msg, opts...)
	if err == nil && ack.Stream == messages.StreamRequests && !ack.Duplicate {
		b.stamps[ack.Sequence] = b.clock.Broker()
	}
	return ack, err
}

func (b *modelBroker) stamp(seq uint64) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stamps[seq]
}

// modelJetStream is a connection of one process to a broker. alive returns an
// error once the process is dead; onAppend, if not nil, is told of each message
// that was appended, and decides whether its acknowledgement arrives.
type modelJetStream struct {
	*modelBroker
	alive    func() error
	onAppend func(*nats.Msg) error
	worker   *modelWorker // nil: no worker
}

func (j *modelJetStream) PublishMsg(ctx context.Context, msg *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	if err := j.alive(); err != nil {
		return nil, err
	}
	ack, err := j.append(ctx, msg, opts...)
	if err == nil && j.onAppend != nil {
		err = j.onAppend(msg)
	}
	return ack, err
}

func (j *modelJetStream) PublishMsgAsync(msg *nats.Msg, opts ...jetstream.PublishOpt) (jetstream.PubAckFuture, error) {
	ack, err := j.PublishMsg(context.Background(), msg, opts...)
	f := &modelFuture{msg: msg, ok: make(chan *jetstream.PubAck, 1), err: make(chan error, 1)}
	if err != nil {
		f.err <- err
	} else {
		f.ok <- ack
	}
	return f, nil
}

func (j *modelJetStream) Stream(ctx context.Context, name string) (jetstream.Stream, error) {
	if err := j.alive(); err != nil {
		return nil, err
	}
	s, err := j.modelBroker.JetStream.Stream(ctx, name)
	if err != nil {
		return nil, err
	}
	return &modelStream{Stream: s, js: j}, nil
}

func (j *modelJetStream) Consumer(ctx context.Context, stream, durable string) (jetstream.Consumer, error) {
	c, err := j.modelBroker.JetStream.Consumer(ctx, stream, durable)
	if err != nil {
		return nil, err
	}
	return &modelConsumer{Consumer: c, js: j}, nil
}

func (j *modelJetStream) CreateConsumer(ctx context.Context, stream string, config jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	if err := j.alive(); err != nil {
		return nil, err
	}
	c, err := j.modelBroker.JetStream.CreateConsumer(ctx, stream, config)
	if err != nil {
		return nil, err
	}
	return &modelConsumer{Consumer: c, js: j, reads: config.Durable == ""}, nil
}

type modelFuture struct {
	msg *nats.Msg
	ok  chan *jetstream.PubAck
	err chan error
}

func (f *modelFuture) Ok() <-chan *jetstream.PubAck { return f.ok }
func (f *modelFuture) Err() <-chan error            { return f.err }
func (f *modelFuture) Msg() *nats.Msg               { return f.msg }

type modelStream struct {
	jetstream.Stream
	js *modelJetStream
}

func (s *modelStream) Info(ctx context.Context, opts ...jetstream.StreamInfoOpt) (*jetstream.StreamInfo, error) {
	if err := s.js.alive(); err != nil {
		return nil, err
	}
	info, err := s.Stream.Info(ctx, opts...)
	if err == nil {
		info.TimeStamp = s.js.clock.Broker()
	}
	return info, err
}

func (s *modelStream) CachedInfo() *jetstream.StreamInfo {
	info := *s.Stream.CachedInfo()
	info.TimeStamp = s.js.clock.Broker()
	return &info
}

func (s *modelStream) GetMsg(ctx context.Context, seq uint64, opts ...jetstream.GetMsgOpt) (*jetstream.RawStreamMsg, error) {
	msg, err := s.Stream.GetMsg(ctx, seq, opts...)
	if err == nil && s.Stream.CachedInfo().Config.Name == messages.StreamRequests {
		msg.Time = s.js.stamp(msg.Sequence)
	}
	return msg, err
}

func (s *modelStream) Consumer(ctx context.Context, durable string) (jetstream.Consumer, error) {
	c, err := s.Stream.Consumer(ctx, durable)
	if err != nil {
		return nil, err
	}
	return &modelConsumer{Consumer: c, js: s.js}, nil
}

func (s *modelStream) OrderedConsumer(ctx context.Context, config jetstream.OrderedConsumerConfig) (jetstream.Consumer, error) {
	c, err := s.Stream.OrderedConsumer(ctx, config)
	if err != nil {
		return nil, err
	}
	return &modelConsumer{Consumer: c, js: s.js, reads: true}, nil
}

// modelConsumer delivers to a worker what the schedule grants it.
type modelConsumer struct {
	jetstream.Consumer
	js    *modelJetStream
	reads bool // it hands out no work
}

func (c *modelConsumer) gated() bool { return !c.reads && c.js.worker != nil }

// redeliveryWait is how long a pull waits for a message that the broker has to
// deliver again.
const redeliveryWait = 100 * time.Millisecond

func (c *modelConsumer) FetchNoWait(n int) (jetstream.MessageBatch, error) {
	if !c.gated() {
		return c.wrap(c.Consumer.FetchNoWait(n))
	}
	if n = min(n, c.js.worker.take()); n == 0 {
		return closedBatch(nil), nil
	}
	batch, err := c.wrap(c.Consumer.FetchNoWait(n))
	if err != nil || len(batch.Messages()) > 0 {
		return batch, err
	}
	return c.wrap(c.Consumer.Fetch(1, jetstream.FetchMaxWait(redeliveryWait)))
}

func (c *modelConsumer) Fetch(n int, opts ...jetstream.FetchOpt) (jetstream.MessageBatch, error) {
	if c.gated() {
		c.js.worker.park()
		return closedBatch(nil), nil
	}
	return c.wrap(c.Consumer.Fetch(n, opts...))
}

func (c *modelConsumer) Messages(opts ...jetstream.PullMessagesOpt) (jetstream.MessagesContext, error) {
	m, err := c.Consumer.Messages(opts...)
	if err != nil {
		return nil, err
	}
	return &modelMessages{MessagesContext: m, js: c.js}, nil
}

type modelMessages struct {
	jetstream.MessagesContext
	js *modelJetStream
}

func (m *modelMessages) Next(opts ...jetstream.NextOpt) (jetstream.Msg, error) {
	msg, err := m.MessagesContext.Next(opts...)
	if err != nil {
		return nil, err
	}
	return &modelMsg{Msg: msg, js: m.js}, nil
}

type modelBatch struct {
	msgs chan jetstream.Msg
	err  error
}

func (b *modelBatch) Messages() <-chan jetstream.Msg { return b.msgs }
func (b *modelBatch) Error() error                   { return b.err }

func closedBatch(err error, msgs ...jetstream.Msg) *modelBatch {
	b := &modelBatch{msgs: make(chan jetstream.Msg, len(msgs)), err: err}
	for _, msg := range msgs {
		b.msgs <- msg
	}
	close(b.msgs)
	return b
}

func (c *modelConsumer) wrap(batch jetstream.MessageBatch, err error) (jetstream.MessageBatch, error) {
	if err != nil {
		return nil, err
	}
	var msgs []jetstream.Msg
	for msg := range batch.Messages() {
		m := &modelMsg{Msg: msg, js: c.js}
		if c.gated() {
			c.js.worker.hold(m)
			if meta, err := msg.Metadata(); err == nil {
				c.js.pulled(meta.Sequence.Stream)
			}
		}
		msgs = append(msgs, m)
	}
	return closedBatch(batch.Error(), msgs...), nil
}

// modelMsg is a message with the stamp of the model's clock. What a dead worker
// does with it does not reach the broker.
type modelMsg struct {
	jetstream.Msg
	js *modelJetStream
}

func (m *modelMsg) Metadata() (*jetstream.MsgMetadata, error) {
	meta, err := m.Msg.Metadata()
	if err == nil && meta.Stream == messages.StreamRequests {
		copied := *meta
		copied.Timestamp = m.js.stamp(meta.Sequence.Stream)
		meta = &copied
	}
	return meta, err
}

func (m *modelMsg) settle(how func() error) error {
	if err := m.js.alive(); err != nil {
		return err
	}
	err := how()
	if m.js.worker != nil {
		m.js.worker.settled(m)
	}
	return err
}

// Ack waits until the broker has it, so that the schedule goes on after it.
func (m *modelMsg) Ack() error {
	return m.settle(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return m.Msg.DoubleAck(ctx)
	})
}

func (m *modelMsg) Nak() error { return m.settle(m.Msg.Nak) }

func (m *modelMsg) NakWithDelay(d time.Duration) error {
	return m.settle(func() error { return m.Msg.NakWithDelay(d) })
}

func (m *modelMsg) Term() error { return m.settle(m.Msg.Term) }
