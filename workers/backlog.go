package workers

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/workers/delivery"
)

const (
	// trimEvery is how often finished messages are removed from the streams.
	trimEvery = 10 * time.Second
	// askTimeout bounds one query of the broker.
	askTimeout = 2 * time.Second
)

// Backlog measures how much waits for the workers, as a [prometheus.Collector],
// and removes finished messages from the streams.
type Backlog struct {
	js        jetstream.JetStream
	logger    *slog.Logger
	consumers []backlogConsumer
	messages  *prometheus.Desc
	oldest    *prometheus.Desc
}

type backlogConsumer struct {
	stream, durable, subject string
	step, target             string
}

// NewBacklog returns the backlog of the revoker and of targets.
func NewBacklog(js jetstream.JetStream, targets []delivery.Configured, logger *slog.Logger) *Backlog {
	labels := []string{"step", "target"}
	b := &Backlog{
		js: js, logger: logger,
		messages: prometheus.NewDesc("logoutd_backlog_messages",
			"Messages that are not done. One of the step revoke holds up to 256 requests.", labels, nil),
		oldest: prometheus.NewDesc("logoutd_backlog_oldest_seconds",
			"Age of the oldest message that is not done, 0 if there is none.", labels, nil),
		consumers: []backlogConsumer{{
			stream: messages.StreamRequests, durable: messages.ConsumerRevoker, subject: messages.FilterRequests,
			step: messages.StepRevoke,
		}},
	}
	for _, t := range targets {
		kind, name := t.Kind.Name, t.Name
		b.consumers = append(b.consumers, backlogConsumer{
			stream: messages.StreamTasks, durable: messages.ConsumerTarget(kind, name),
			subject: messages.SubjectTask(kind, name), step: kind, target: name,
		})
	}
	return b
}

// Run trims the streams until ctx ends, and warns of deliveries that wait for a
// target that is not configured. It returns nil.
func (b *Backlog) Run(ctx context.Context) error {
	warned := map[string]bool{}
	for wait(ctx, trimEvery) {
		b.warnOfStranded(ctx, warned)
		for _, c := range b.consumers {
			if err := b.trim(ctx, c); err != nil && ctx.Err() == nil {
				b.logger.Debug("stream cannot be trimmed", "step", c.step, "target", c.target, "err", err)
			}
		}
	}
	return nil
}

// warnOfStranded warns once of each target that has deliveries and is not
// configured.
func (b *Backlog) warnOfStranded(ctx context.Context, warned map[string]bool) {
	stranded, err := b.stranded(ctx)
	if err != nil {
		return // trimming logs it
	}
	for _, s := range stranded {
		if !warned[s.subject] {
			warned[s.subject] = true
			b.logger.Error("deliveries wait for a target that is not configured: configure it, or see logoutd targets",
				"step", s.step, "target", s.target, "deliveries", s.count)
		}
	}
}

// strandedTarget is a target that has deliveries and is not configured.
type strandedTarget struct {
	backlogConsumer
	count uint64
}

// stranded returns the targets that have deliveries and are not configured.
func (b *Backlog) stranded(ctx context.Context) (all []strandedTarget, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	stream, err := b.js.Stream(ctx, messages.StreamTasks)
	if err != nil {
		return nil, err
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(messages.SubjectTasks+">"))
	if err != nil {
		return nil, err
	}
	for subject, count := range info.State.Subjects {
		known := func(c backlogConsumer) bool { return c.subject == subject }
		if kind, name, ok := messages.TargetOf(subject); ok && !slices.ContainsFunc(b.consumers, known) {
			all = append(all, strandedTarget{backlogConsumer{subject: subject, step: kind, target: name}, count})
		}
	}
	return all, nil
}

// trim removes the messages below the consumer's ack floor. Under limits retention
// they would stay for ever.
func (b *Backlog) trim(ctx context.Context, c backlogConsumer) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	info, stream, err := b.ask(ctx, c)
	if err != nil || info.AckFloor.Stream == 0 {
		return err
	}
	below := []jetstream.StreamPurgeOpt{jetstream.WithPurgeSequence(info.AckFloor.Stream + 1)}
	if c.stream != messages.StreamRequests { // which is the revoker's alone, strays and all
		below = append(below, jetstream.WithPurgeSubject(c.subject))
	}
	return stream.Purge(ctx, below...)
}

func (b *Backlog) ask(ctx context.Context, c backlogConsumer) (*jetstream.ConsumerInfo, jetstream.Stream, error) {
	stream, err := b.js.Stream(ctx, c.stream)
	if err != nil {
		return nil, nil, err
	}
	consumer, err := stream.Consumer(ctx, c.durable)
	if err != nil {
		return nil, nil, err
	}
	return consumer.CachedInfo(), stream, nil
}

// Describe implements [prometheus.Collector].
func (b *Backlog) Describe(descs chan<- *prometheus.Desc) {
	descs <- b.messages
	descs <- b.oldest
}

// Collect implements [prometheus.Collector]. It leaves out what the broker does not
// answer in time.
func (b *Backlog) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	stranded, _ := b.stranded(ctx)
	for _, s := range stranded {
		metrics <- prometheus.MustNewConstMetric(b.messages, prometheus.GaugeValue, float64(s.count), s.step, s.target)
	}
	for _, c := range b.consumers {
		info, stream, err := b.ask(ctx, c)
		if err != nil {
			continue
		}
		age, err := oldestAge(ctx, stream, c, info)
		if err != nil {
			continue
		}
		pending := float64(info.NumPending) + float64(info.NumAckPending)
		metrics <- prometheus.MustNewConstMetric(b.messages, prometheus.GaugeValue, pending, c.step, c.target)
		metrics <- prometheus.MustNewConstMetric(b.oldest, prometheus.GaugeValue, age.Seconds(), c.step, c.target)
	}
}

func oldestAge(ctx context.Context, stream jetstream.Stream, c backlogConsumer, info *jetstream.ConsumerInfo) (time.Duration, error) {
	if info.NumPending == 0 && info.NumAckPending == 0 {
		return 0, nil
	}
	msg, err := stream.GetMsg(ctx, info.AckFloor.Stream+1, jetstream.WithGetMsgSubject(c.subject))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return max(time.Since(msg.Time), 0), nil
}
