package overview

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

const (
	// TopGroups is how many groups of dead letters a [Snapshot] has at most.
	TopGroups = 10
	// askTimeout is how long an answer may take that a sample waits for.
	askTimeout = 2 * time.Second
	// seldom is how many samples lie between two looks at what changes less, or
	// takes longer to find out.
	seldom = 5
)

// sampler takes one sample after the other. What is not told anew stays as it
// was in the last.
type sampler struct {
	Config
	last     Snapshot
	samples  int // taken
	broker   *streams
	backlog  *backlog
	accepted meter
	revoked  meter
	latency  latency
	running  running
	troubles map[string]bool // told, and not over
}

func newSampler(c Config) *sampler {
	b := &streams{js: c.JetStream}
	return &sampler{
		Config: c, broker: b, backlog: newBacklog(b, c.Targets), latency: latency{broker: b},
		running: running{jobs: c.Jobs}, troubles: map[string]bool{},
	}
}

// close returns once nothing is left of what was begun; the context of the
// samples has ended.
func (s *sampler) close() { s.running.wait() }

// sample asks everybody once.
func (s *sampler) sample(ctx context.Context) Snapshot {
	next := s.last
	var storeErr error
	next.At = time.Now()
	var pinging sync.WaitGroup
	pinging.Go(func() { storeErr = s.ping(ctx) })
	s.sampleProcess(ctx, &next)
	s.sampleBroker(ctx, &next)
	pinging.Wait()
	next.StoreOK, next.StoreTrouble = storeErr == nil, ""
	var refused *store.RefusedError
	if errors.As(storeErr, &refused) {
		next.StoreTrouble = refused.Error()
	}
	next.Notices = nil
	if s.Notices != nil {
		next.Notices = s.Notices()
	}
	s.last = next
	s.samples++
	return next
}

// errNoStore is of an overview without a store.
var errNoStore = errors.New("no store")

func (s *sampler) ping(ctx context.Context) error {
	if s.Store == nil {
		return errNoStore
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return s.Store.Ping(ctx)
}

// sampleProcess takes what this process knows by itself.
func (s *sampler) sampleProcess(ctx context.Context, next *Snapshot) {
	accepted, known, err := acceptedBy(s.Gatherer)
	s.tell(ctx, "accepted logouts cannot be sampled", err)
	next.AcceptedPerSecond, next.AcceptedKnown = 0, known
	if known {
		next.AcceptedPerSecond = s.accepted.rate(next.At, accepted)
	}
	if s.Letters == nil {
		return
	}
	next.Projection = s.Letters.Progress()
	if s.samples%seldom != 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	groups, err := s.Letters.Groups(ctx, deadletters.Filter{})
	s.tell(ctx, "failures cannot be grouped", err)
	if err == nil {
		next.Groups = groups[:min(len(groups), TopGroups)]
	}
}

// sampleBroker takes what the broker tells: all of it, or nothing.
func (s *sampler) sampleBroker(ctx context.Context, next *Snapshot) {
	told := *next
	err := s.askBroker(ctx, &told)
	s.tell(ctx, "broker cannot be sampled", err)
	if err != nil {
		next.Stale, next.BrokerOK = true, false
		s.broker.forget()
		return
	}
	*next = told
	next.Stale, next.BrokerOK, next.FiguresAt = false, true, next.At
	jobs, err := s.running.count(ctx)
	s.tell(ctx, "jobs cannot be counted", err)
	if err == nil {
		next.Jobs, next.JobsKnown = jobs, true
	}
}

func (s *sampler) askBroker(ctx context.Context, next *Snapshot) (err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if next.Targets, err = s.backlog.ask(ctx); err != nil {
		return err
	}
	next.BacklogMessages, next.BacklogOldest = total(next.Targets)
	return s.askStreams(ctx, next)
}

// askStreams asks for what comes out of the workers.
func (s *sampler) askStreams(ctx context.Context, next *Snapshot) error {
	failed, err := s.broker.state(ctx, messages.StreamFailed)
	if err != nil {
		return err
	}
	public, err := s.broker.state(ctx, events.StreamEvents)
	if err != nil {
		return err
	}
	if public.LastSeq < s.latency.last { // a stream that was made anew
		s.revoked = meter{}
	}
	if err := s.latency.look(ctx, public.LastSeq); err != nil {
		return err
	}
	next.Failed = int(failed.Msgs)
	next.LatencyMillis, next.LatencyKnown = s.latency.median()
	// Each dead letter is announced by an event, and revokes nothing. Where only
	// one of both is there yet, the total falls for a moment.
	next.RevokedPerSecond = s.revoked.rate(next.At, float64(public.LastSeq)-float64(failed.LastSeq))
	return nil
}

// tell logs where a trouble begins, not each time that it is met.
func (s *sampler) tell(ctx context.Context, trouble string, err error) {
	if err == nil {
		s.troubles[trouble] = false
	} else if ctx.Err() == nil && !s.troubles[trouble] {
		s.troubles[trouble] = broker.LogFailure(ctx, s.Logger, s.JetStream, trouble, "err", err)
	}
}
