package delivery

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/time/rate"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

const (
	// pullSize is how many deliveries one pull takes: a pull takes 10 to 17 ms
	// while a batch is published (nats-server 2.15, measured with a backlog of
	// push registrations), in which 32 attempts at once are made many times.
	pullSize = 256
	// uncountedDelay is how long a message waits after a failure that was not
	// counted against it.
	uncountedDelay = 500 * time.Millisecond
	// asideDelay is how long a message waits that was pulled while the breaker is
	// open: so long that the next probe finds others, which may show that the
	// target is up and only some messages fail.
	asideDelay = probeMax
)

// Config configures a [Worker]. All fields are required.
type Config struct {
	Target    Configured
	JetStream jetstream.JetStream
	Publisher *broker.Publisher
	Store     store.Store
	// Retry is the policy where the target's settings have none.
	Retry   Retry
	Metrics *Metrics
	Logger  *slog.Logger
}

// Worker works off the deliveries of one target.
type Worker struct {
	Config
	step, name string
	retry      Retry
	puller     *broker.Puller
	breaker    *breaker
	limiter    *rate.Limiter
	pause      *Announcement
	switching  sync.Mutex // held while it is found out or changed whether the target is disabled
}

// NewWorker returns a worker that has not started.
func NewWorker(c Config) *Worker {
	kind, name := c.Target.Kind.Name, c.Target.Name
	w := &Worker{
		Config: c, step: kind, name: name, retry: c.Target.Retry.Or(c.Retry),
		puller: broker.NewPuller(c.JetStream, messages.StreamTasks,
			messages.ConsumerTarget(kind, name), messages.SubjectTask(kind, name)),
		limiter: rate.NewLimiter(rate.Inf, c.Target.concurrency()),
		pause:   NewAnnouncement(c.JetStream, c.Logger, kind, name),
	}
	if c.Target.Rate > 0 {
		w.limiter.SetLimit(rate.Limit(c.Target.Rate))
		w.limiter.SetBurst(1)
	}
	w.breaker = newBreaker(w.report)
	return w
}

// report tells operators that the breaker opened or closed.
func (w *Worker) report(open bool, cause *Failure) {
	if open {
		w.Metrics.Paused(w.step, w.name)
		w.pause.Set(true, cause.Code, cause.Class == Unauthorized)
		w.Logger.Warn("paused: target is down", "step", w.step, "target", w.name, "err", cause, "answer", cause.Answer)
		return
	}
	w.Metrics.Running(w.step, w.name)
	w.pause.Set(false, "", false)
	w.Logger.Info("resumed", "step", w.step, "target", w.name)
}

// job is a message that was pulled.
type job struct {
	msg   jetstream.Msg
	probe bool
}

// Run works until ctx ends, then finishes the attempts that have begun. It
// returns nil.
func (w *Worker) Run(ctx context.Context) error {
	w.Metrics.Running(w.step, w.name)
	defer w.pause.Start()()
	var background, pool sync.WaitGroup
	defer background.Wait()
	w.readSwitch(ctx)
	background.Go(func() { w.followSwitch(ctx) })
	jobs := make(chan job)
	for range w.Target.concurrency() {
		pool.Go(func() {
			for j := range jobs {
				w.work(ctx, j)
			}
		})
	}
	w.feed(ctx, jobs)
	close(jobs)
	pool.Wait()
	return nil
}

// feed pulls messages for as long as the breaker admits them.
func (w *Worker) feed(ctx context.Context, jobs chan<- job) {
	probes := Probes()
	for {
		probe, err := w.breaker.admit(ctx)
		if err != nil {
			return
		}
		msgs, err := w.puller.Pull(ctx, pullSize)
		switch {
		case !probe:
			w.hand(jobs, msgs)
		case len(msgs) == 0:
			w.breaker.unused()
		default:
			jobs <- job{probeOf(msgs), true}
		}
		if err != nil && ctx.Err() == nil {
			broker.LogFailure(ctx, w.Logger, w.JetStream, "deliveries cannot be pulled", "step", w.step, "target", w.name, "err", err)
			sleep(ctx, probes.NextBackOff())
			continue
		}
		probes.Reset()
	}
}

// hand hands messages to the pool, which takes each as soon as it is free.
func (w *Worker) hand(jobs chan<- job, msgs []jetstream.Msg) {
	defer broker.Hold(msgs...)()
	for _, msg := range msgs {
		jobs <- job{msg, false}
	}
}

// probeOf returns the message that is most likely to be accepted: one that has
// never failed, else the one that was delivered least often. It puts the others
// aside.
func probeOf(msgs []jetstream.Msg) jetstream.Msg {
	failures := func(msg jetstream.Msg) (own int, deliveries uint64) {
		if d, err := messages.DecodeDelivery(msg.Data()); err == nil {
			own = d.History.Attempts
		}
		if meta, err := msg.Metadata(); err == nil {
			deliveries = meta.NumDelivered
		}
		return own, deliveries
	}
	best := slices.MinFunc(msgs, func(a, b jetstream.Msg) int {
		ownA, deliveriesA := failures(a)
		ownB, deliveriesB := failures(b)
		return cmp.Or(cmp.Compare(ownA, ownB), cmp.Compare(deliveriesA, deliveriesB))
	})
	for _, msg := range msgs {
		if msg != best {
			_ = msg.NakWithDelay(asideDelay)
		}
	}
	return best
}

// work makes one attempt with a message. It acknowledges the message, or leaves
// it to be delivered again.
func (w *Worker) work(ctx context.Context, j job) {
	switch {
	case ctx.Err() != nil:
		_ = j.msg.Nak()
		return
	case !j.probe && w.breaker.blocked(false):
		_ = j.msg.NakWithDelay(asideDelay)
		return
	}
	meta, err := j.msg.Metadata()
	if err != nil {
		w.Logger.Error("message without metadata", "step", w.step, "target", w.name, "err", err)
		return
	}
	d, err := messages.DecodeDelivery(j.msg.Data())
	settled := false
	switch {
	case err != nil:
		settled = w.persisted(ctx, w.Metrics.RecordUndecodable(ctx, w.Publisher, j.msg, meta, err), j.msg)
	case w.early(j.msg, d):
	default:
		if meta.NumDelivered > 1 {
			w.Metrics.Redelivered(w.step, w.name)
		}
		settled = w.attempt(ctx, j, meta, d)
	}
	if j.probe && !settled {
		w.breaker.unused()
	}
}

// early hands a message back that is not due yet.
func (w *Worker) early(msg jetstream.Msg, d messages.Delivery) bool {
	delay := time.Until(d.History.NotBefore.Time)
	if d.History.NotBefore.IsZero() || delay <= 0 {
		return false
	}
	_ = msg.NakWithDelay(delay)
	return true
}

// attempt tells the target, and reports whether the breaker knows how it ended.
func (w *Worker) attempt(ctx context.Context, j job, meta *jetstream.MsgMetadata, d messages.Delivery) (told bool) {
	obsolete, err := w.Target.Target.Obsolete(ctx, w.Store, d)
	switch {
	case errors.Is(err, store.ErrUnavailable), ctx.Err() != nil:
		_ = j.msg.NakWithDelay(uncountedDelay)
		return false
	case err != nil:
		w.settle(ctx, j.msg, meta, d, &Failure{Class: Transient, Code: CodeStore, Err: err}, 0)
		return false
	case obsolete:
		w.Metrics.Attempted(w.step, w.name, "obsolete", 1)
		_ = j.msg.Ack()
		return false
	case w.limiter.Wait(ctx) != nil:
		_ = j.msg.Nak()
		return false
	case w.breaker.blocked(j.probe): // since it was pulled
		_ = j.msg.NakWithDelay(asideDelay)
		return false
	}
	defer broker.Hold(j.msg)()
	start := time.Now()
	// A shutdown does not cut an attempt off: its own timeout bounds it.
	f := w.send(context.WithoutCancel(ctx), d)
	w.conclude(ctx, j, meta, d, f, time.Since(start))
	return true
}

// send makes one attempt. nil: the target is told.
func (w *Worker) send(ctx context.Context, d messages.Delivery) *Failure {
	ctx, cancel := context.WithTimeout(ctx, w.Target.AttemptTimeout())
	defer cancel()
	err := w.Target.Target.Send(ctx, d)
	if err == nil {
		w.Metrics.Attempted(w.step, w.name, "ok", 1)
		return nil
	}
	f := AsFailure(err)
	w.Metrics.Attempted(w.step, w.name, f.Code, 1)
	return f
}

// conclude does what follows from an attempt.
func (w *Worker) conclude(ctx context.Context, j job, meta *jetstream.MsgMetadata, d messages.Delivery, f *Failure, took time.Duration) {
	switch {
	case f == nil:
		w.breaker.succeeded(d.ID)
		_ = j.msg.Ack()
	case f.Class == Gone:
		w.disable(ctx, f)
		if j.probe {
			w.breaker.unused()
		}
		_ = j.msg.NakWithDelay(uncountedDelay)
	case f.Class == Permanent:
		w.breaker.succeeded(d.ID) // the target answers
		w.settle(ctx, j.msg, meta, d, f, took)
	case w.breaker.failed(d.ID, f, d.History.Attempts > 0, j.probe):
		w.settle(ctx, j.msg, meta, d, f, took)
	case w.breaker.blocked(false):
		_ = j.msg.NakWithDelay(max(asideDelay, f.RetryAfter))
	default:
		_ = j.msg.NakWithDelay(uncountedDelay)
	}
}

// settle publishes a failed delivery again, or gives it up.
func (w *Worker) settle(ctx context.Context, msg jetstream.Msg, meta *jetstream.MsgMetadata, d messages.Delivery, f *Failure, took time.Duration) {
	now := time.Now()
	if d.RevokedAt.IsZero() { // it has never failed before
		d.RevokedAt = events.At(meta.Timestamp)
	}
	var again bool
	failed := d.History.Failed(f.Attempted(w.step, 1, meta.NumDelivered, now))
	if d.History, again = w.retry.Next(failed, f, took, now); again {
		w.persisted(ctx, w.Publisher.DeliveryAgain(context.WithoutCancel(ctx), d, meta.Sequence.Stream), msg)
		return
	}
	w.breaker.forget(d.ID)
	letter := NewDeadLetter(w.step, d.ID, d.History)
	letter.Target, letter.Request, letter.Delivery = w.name, &d.Request, &d
	if w.persisted(ctx, w.Metrics.Record(context.WithoutCancel(ctx), w.Publisher, letter, meta.Sequence.Stream), msg) {
		w.Logger.Error("delivery given up", "step", w.step, "target", w.name,
			"request_id", d.Request.ID, "delivered", meta.NumDelivered, "err", f, "answer", f.Answer)
	}
}

// persisted acknowledges a message if its consequences are on disk. Otherwise
// the broker delivers it again; what was published already is a duplicate then.
func (w *Worker) persisted(ctx context.Context, err error, msg jetstream.Msg) bool {
	if err == nil {
		_ = msg.Ack()
		return true
	}
	broker.LogFailure(ctx, w.Logger, w.JetStream, "failed delivery cannot be recorded", "step", w.step, "target", w.name, "err", err)
	return false
}

// sleep waits for d or until ctx ends, and reports whether it waited to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
