package overview

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// Config is what an [Overview] looks at. All but JetStream may be left out;
// then what it would tell is zero.
type Config struct {
	JetStream jetstream.JetStream
	// Gatherer has the metrics of this process's front role. It is gathered
	// with each sample, so its collectors must not ask anybody.
	Gatherer prometheus.Gatherer
	// Targets are those in the settings of this process.
	Targets []messages.TargetName
	Letters *deadletters.Letters
	Jobs    *jobs.Jobs
	Store   store.Store
	// Notices returns what operators have to know of broker and store, in
	// sentences. It asks nobody.
	Notices func() []string
	// Logger is told when something cannot be sampled any more. Default: none.
	Logger *slog.Logger
	// Interval is the time between samples. Default: 1 s.
	Interval time.Duration
}

func (c Config) interval() time.Duration {
	if c.Interval <= 0 {
		return time.Second
	}
	return c.Interval
}

// Overview samples, and keeps the samples of the last [Kept]. It is safe for
// concurrent use.
type Overview struct {
	config Config

	mu          sync.Mutex
	snapshot    Snapshot
	history     []Sample // oldest first
	subscribers map[chan Sample]bool
}

// New returns an overview that asks nobody until it runs.
func New(c Config) *Overview {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Overview{config: c, subscribers: map[chan Sample]bool{}}
}

// Run samples until ctx ends, through every outage. It returns nil.
func (o *Overview) Run(ctx context.Context) error {
	s := newSampler(o.config)
	defer s.close()
	tick := time.NewTicker(o.config.interval())
	defer tick.Stop()
	for {
		snapshot := s.sample(ctx)
		if ctx.Err() != nil { // who did not answer may only have been interrupted
			return nil
		}
		o.publish(snapshot)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}
