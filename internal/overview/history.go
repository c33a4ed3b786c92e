package overview

import (
	"context"
	"slices"
	"sort"
	"time"

	"github.com/logoutd/logoutd/internal/broker"
)

// Kept is how far the history goes back.
const Kept = 10 * time.Minute

// Now returns the latest snapshot.
func (o *Overview) Now() Snapshot {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.snapshot
	now.Groups, now.Targets = slices.Clone(now.Groups), slices.Clone(now.Targets)
	return now
}

// Targets asks the broker for all targets at this moment: those in the settings
// of this process, and those that have deliveries without being configured.
// Errors wrap [broker.ErrUnavailable].
func (o *Overview) Targets(ctx context.Context) ([]Target, error) {
	all, err := newBacklog(&streams{js: o.config.JetStream}, o.config.Targets).askAll(ctx)
	if err != nil {
		return nil, broker.Unavailable("reading targets", err)
	}
	return all[1:], nil // the first is the store
}

// History returns the samples that came after a time, oldest first.
func (o *Overview) History(since time.Time) []Sample {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(after(o.history, since))
}

// after returns the samples, which are ordered by time, that came after t.
func after(samples []Sample, t time.Time) []Sample {
	return samples[sort.Search(len(samples), func(i int) bool { return samples[i].At.After(t) }):]
}

// Subscribe returns a channel that gets each new sample until ctx ends, which
// closes it. Who is too slow misses samples, never the latest.
func (o *Overview) Subscribe(ctx context.Context) <-chan Sample {
	latest := make(chan Sample, 1)
	o.mu.Lock()
	o.subscribers[latest] = true
	o.mu.Unlock()
	context.AfterFunc(ctx, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.subscribers, latest)
		close(latest)
	})
	return latest
}

// publish makes a snapshot the latest.
func (o *Overview) publish(s Snapshot) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.snapshot = s
	o.history = append(after(o.history, s.At.Add(-Kept)), s.Sample)
	for latest := range o.subscribers {
		select {
		case <-latest: // the one before, which was not read in time
		default:
		}
		latest <- s.Sample
	}
}
