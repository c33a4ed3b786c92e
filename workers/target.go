package workers

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// Sender tells one outside system. An error that is a *[Failure] says what to
// do; its text is shown to operators and holds no credential.
type Sender interface {
	Send(ctx context.Context, task messages.Task) error
}

// TargetConfig configures a [Target]. All fields without a default are
// required.
type TargetConfig struct {
	// Name is the name of the push provider.
	Name      string
	Sender    Sender
	JetStream jetstream.JetStream
	Publisher *broker.Publisher
	Store     store.Store
	// Concurrency is how many attempts are made at once. Default 32.
	Concurrency int
	Retry       Retry
	Metrics     *Metrics
	Logger      *slog.Logger
}

func (c TargetConfig) concurrency() int {
	if c.Concurrency == 0 {
		return 32
	}
	return c.Concurrency
}

// Target consumes the tasks of one outside system. A task that hangs or fails
// takes one slot of many; an outage of the whole system pauses the target
// and is counted against no task.
type Target struct {
	TargetConfig
	puller  *puller
	held    *held
	notice  *notice
	recheck *rechecker
	outage  *outage
	slots   chan struct{}           // of attempts
	doubt   atomic.Pointer[Failure] // the latest that may be the target's
}

// NewTarget returns a target that has not started.
func NewTarget(c TargetConfig) *Target {
	t := &Target{
		TargetConfig: c,
		slots:        make(chan struct{}, c.concurrency()),
		held:         newHeld(),
		notice:       newNotice(c.JetStream, c.Logger, messages.StepPush, c.Name),
		recheck:      &rechecker{store: c.Store},
		puller: newPuller(c.JetStream, messages.StreamTasks,
			messages.ConsumerTarget(messages.KindPush, c.Name), messages.SubjectTask(messages.KindPush, c.Name)),
	}
	t.outage = newOutage(t.report)
	return t
}

// report tells operators of a pause and its end.
func (t *Target) report(paused bool) {
	t.Metrics.setPaused(messages.StepPush, t.Name, paused)
	if paused {
		doubt := t.doubt.Load()
		t.notice.set(true, doubt.Code, doubt.Class)
		t.Logger.Warn("paused: target is down", "step", messages.StepPush, "target", t.Name, "err", doubt, "answer", doubt.Answer)
	} else {
		t.notice.set(false, "", Transient)
		t.Logger.Info("resumed", "step", messages.StepPush, "target", t.Name)
	}
}

// Run works until ctx ends, then finishes the attempts that have begun. It
// returns nil.
func (t *Target) Run(ctx context.Context) error {
	t.Metrics.paused.WithLabelValues(messages.StepPush, t.Name).Set(0)
	defer t.notice.tell()()
	defer t.held.keep()()
	c := newCrew(t.concurrency(), pullTasks, func(msg jetstream.Msg, aside func()) {
		defer t.held.remove(msg)
		t.work(ctx, msg, aside)
	})
	defer c.finish()
	probes := probeBackOff()
	for places := t.held.reserve(ctx); places > 0; places = t.held.reserve(ctx) {
		msgs, err := t.puller.pull(ctx, places)
		t.held.add(msgs, places)
		for _, msg := range msgs {
			c.msgs <- msg
		}
		if err != nil && ctx.Err() == nil {
			broker.LogFailure(ctx, t.Logger, t.JetStream, "tasks cannot be pulled", "step", messages.StepPush, "target", t.Name, "err", err)
			wait(ctx, probes.NextBackOff())
			continue
		}
		probes.Reset()
	}
	return nil
}

// errand is a task that was delivered, while it is worked on.
type errand struct {
	msg    jetstream.Msg
	meta   *jetstream.MsgMetadata
	task   messages.Task
	memory suspect
	aside  func() // to be called before a wait; see [crew]
}

// deliveries returns how often the task was delivered to be worked on. One
// with a time before which it is not due came early once.
func (e *errand) deliveries() uint64 {
	n := e.meta.NumDelivered
	if n > 1 && !e.task.History.NotBefore.IsZero() {
		n--
	}
	return n
}

// work does one task and acknowledges it, or leaves it to be delivered again.
func (t *Target) work(ctx context.Context, msg jetstream.Msg, aside func()) {
	meta, err := msg.Metadata()
	if err != nil {
		t.Logger.Error("message without metadata", "step", messages.StepPush, "target", t.Name, "err", err)
		return
	}
	e := &errand{msg: msg, meta: meta, aside: aside}
	e.task, err = messages.DecodeTask(msg.Data())
	switch {
	case err != nil:
		t.ackAfter(ctx, e, func(ctx context.Context) error {
			return recordUndecodable(ctx, t.Publisher, t.Metrics, msg, meta, err)
		})
		return
	case deferred(msg, e.task.History.NotBefore):
		return
	}
	if meta.NumDelivered > 1 {
		t.Metrics.redeliveries.WithLabelValues(messages.StepPush, t.Name).Inc()
	}
	t.deliver(ctx, e)
}

// deliver attempts a task until it is done, has failed by itself, or ctx
// ends. While the target is down it waits for its turn.
func (t *Target) deliver(ctx context.Context, e *errand) {
	e.memory = t.outage.meet(e.task.History.Attempts > 0)
	for {
		if t.begin(ctx, e) != nil {
			_ = e.msg.Nak() // an interruption is no failure
			return
		}
		r := t.attempt(ctx, e.task)
		<-t.slots
		switch {
		case r.obsolete:
			t.outage.abandoned(&e.memory) // it says nothing of the target
			ack(e.msg)
			return
		case r.failure == nil:
			t.outage.succeeded()
			ack(e.msg)
			return
		case ctx.Err() != nil && r.failure.Class != Permanent:
			t.outage.abandoned(&e.memory)
			_ = e.msg.Nak()
			return
		case t.own(ctx, e, r.failure):
			t.ackAfter(ctx, e, func(ctx context.Context) error { return t.retry(ctx, e, r) })
			return
		}
	}
}

// begin waits until an attempt may be made and takes a slot for it.
func (t *Target) begin(ctx context.Context, e *errand) error {
	for ctx.Err() == nil {
		if !t.outage.running(&e.memory) {
			e.aside()
			if err := t.outage.pass(ctx, &e.memory); err != nil {
				return err
			}
		}
		select {
		case t.slots <- struct{}{}:
		case <-ctx.Done():
			t.outage.abandoned(&e.memory)
			return ctx.Err()
		}
		if t.outage.passed(&e.memory) {
			return nil
		}
		<-t.slots
	}
	return ctx.Err()
}

// own reports whether a failure is the task's own.
func (t *Target) own(ctx context.Context, e *errand, f *Failure) bool {
	switch f.Class {
	case Permanent, Throttled:
		t.outage.succeeded() // the target answers
		return true
	default:
		t.doubt.Store(f)
		e.aside()
		return t.outage.failed(ctx, f.Class, &e.memory)
	}
}

// retry publishes a failed task again, or gives it up.
func (t *Target) retry(ctx context.Context, e *errand, r result) error {
	task, f, now := e.task, r.failure, time.Now()
	if task.RevokedAt.IsZero() { // it has never failed before
		task.RevokedAt = events.At(e.meta.Timestamp)
	}
	failed := task.History.Failed(f.attempted(messages.StepPush, r.attempts, e.deliveries(), now))
	var retry bool
	if task.History, retry = t.Retry.next(failed, f, r.took, now); retry {
		return t.Publisher.TaskAgain(ctx, task, e.meta.Sequence.Stream)
	}
	letter := deadLetter(messages.StepPush, task.ID, task.History)
	letter.Target, letter.Request, letter.Task = t.Name, &task.Request, &task
	if err := t.Publisher.DeadLetter(ctx, letter, e.meta.Sequence.Stream); err != nil {
		return err
	}
	t.Metrics.deadLetters.WithLabelValues(letter.Step, letter.Code).Inc()
	t.Logger.Error("task given up", "step", messages.StepPush, "target", t.Name,
		"request_id", task.Request.ID, "delivered", e.meta.NumDelivered, "err", f, "answer", f.Answer)
	return nil
}

// ackAfter does what has to be on disk before the message is acknowledged,
// until it is; only the end of ctx stops it.
func (t *Target) ackAfter(ctx context.Context, e *errand, do func(context.Context) error) {
	e.aside()
	probes := probeBackOff()
	for {
		err := do(context.WithoutCancel(ctx))
		if err == nil {
			ack(e.msg)
			return
		}
		broker.LogFailure(ctx, t.Logger, t.JetStream, "broker is down", "step", messages.StepPush, "target", t.Name, "err", err)
		if !wait(ctx, probes.NextBackOff()) {
			return
		}
	}
}
