package workers

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/time/rate"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/workers/delivery"
)

const (
	// pullMessages is how many messages one round pulls at most, and
	// roundRequests how many requests share their round trips: as many as an
	// atomic batch of public events holds.
	pullMessages  = 256
	roundRequests = 1000
	// firstMessages is how many messages the first round pulls. The messages
	// that were worked on when the process crashed should come back together,
	// so that the first one is blamed.
	firstMessages = 64
	// maxDeliveries is how often a single request is delivered before it is
	// assumed to crash the process.
	maxDeliveries = 5
	// maxFenceDeliveries is how often it is delivered before its fence is
	// assumed to crash the process.
	maxFenceDeliveries = maxDeliveries + 3
	// maxTombstones is how many tombstones of unknown sessions one process
	// writes within their retention: some 20 MB in Redis, however many unknown
	// tokens strangers present while fences are skipped.
	maxTombstones = 100_000
)

// RevokerConfig configures a [Revoker]. All fields without a default are
// required.
type RevokerConfig struct {
	JetStream jetstream.JetStream
	Publisher *broker.Publisher
	Store     store.Store
	// Fronts are the front ends of this process, whose callers the revoker lets
	// go first. Default: none.
	Fronts Fronts
	// Targets plan deliveries for each request.
	Targets []delivery.Configured
	// Untold is called with the provider of each push registration that is
	// deleted while no target has that name. Default: nothing is called.
	Untold func(provider string)
	// PublishUnknown publishes an event for a session that the store does not
	// know, because sessions are kept elsewhere. Default: such a request is
	// done at once.
	PublishUnknown bool
	// UnknownTTL is how long subscribers are told to remember a session that
	// the store does not know. Default store.DefaultRetention.
	UnknownTTL time.Duration
	Retry      delivery.Retry
	Metrics    *Metrics
	Logger     *slog.Logger
}

func (c RevokerConfig) unknownTTL() time.Duration {
	return cmp.Or(c.UnknownTTL, store.DefaultRetention)
}

// Revoker works off logout requests in batches: it does the store's part, and
// publishes deliveries and public events.
type Revoker struct {
	RevokerConfig
	puller     *broker.Puller
	unfenced   *unfenced
	tombstones *rate.Limiter // of sessions that the store does not know
	pause      pause
}

// NewRevoker returns a revoker that has not started.
func NewRevoker(c RevokerConfig) *Revoker {
	r := &Revoker{
		RevokerConfig: c,
		puller:        broker.NewPuller(c.JetStream, messages.StreamRequests, messages.ConsumerRevoker, messages.SubjectRequests, messages.SubjectUnfenced),
		unfenced:      newUnfenced(c.JetStream, c.Store.Now),
		tombstones:    rate.NewLimiter(rate.Every(c.unknownTTL()/maxTombstones), maxTombstones),
		pause:         pause{metrics: c.Metrics, announcement: delivery.NewAnnouncement(c.JetStream, c.Logger, messages.StepRevoke, "")},
	}
	return r
}

// Run works until ctx ends, then finishes what it holds. It returns nil.
func (r *Revoker) Run(ctx context.Context) error {
	r.Metrics.Running(messages.StepRevoke, "")
	defer r.pause.announcement.Start()()
	probes := delivery.Probes()
	current, limit := newRounds(), firstMessages
	defer current.wait()
	for ctx.Err() == nil {
		msgs, err := r.puller.Pull(ctx, limit)
		began := time.Now()
		if err != nil && ctx.Err() == nil {
			broker.LogFailure(ctx, r.Logger, r.JetStream, "requests cannot be pulled", "step", messages.StepRevoke, "err", err)
			wait(ctx, probes.NextBackOff())
			continue
		}
		probes.Reset()
		if len(msgs) == 0 {
			continue
		}
		next := r.open(ctx, msgs)
		limit = next.messages()
		current.start(next, func() { r.do(ctx, next) })
		r.yield(ctx)
		wait(ctx, roundInterval-time.Since(began)) // requests that arrive meanwhile share the next round's syncs
	}
	return nil
}
