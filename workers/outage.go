package workers

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
)

const (
	// outageAfter is how many messages in a row have to fail before the
	// target as a whole is taken to be down.
	outageAfter = 5
	// verdictWait is how long a failed message waits to see what becomes of
	// others, before the failure counts as its own.
	verdictWait = time.Second
	// probeFirst and probeMax bound the delay between the probes of a paused
	// target.
	probeFirst = 500 * time.Millisecond
	probeMax   = 15 * time.Second
	// probeNew is the delay between probes with messages that were never
	// tried. They come more often: where only some messages fail, a new one
	// shows that the target is up.
	probeNew = time.Second
)

// outage tells the failures of messages from those of the target behind them.
// While the target is down it is paused: one message at a time passes as a
// probe, and nothing is counted against any message.
type outage struct {
	notify func(paused bool) // called on each change

	mu        sync.Mutex
	paused    bool
	probing   bool
	probeAt   time.Time
	probedAt  time.Time     // or paused at
	suspects  int           // failed in a row, waiting for a verdict
	successes uint64        // ever
	pauses    uint64        // ever
	changed   chan struct{} // closed on each success, pause and end of a probe; nil: nobody waits for it
	waiting   []*suspect    // longest first
	probes    *backoff.ExponentialBackOff
}

func newOutage(notify func(paused bool)) *outage {
	return &outage{notify: notify, probes: probeBackOff()}
}

// probeBackOff spaces the probes of whatever is down; it never ends.
func probeBackOff() *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(probeFirst), backoff.WithMaxInterval(probeMax),
		backoff.WithMultiplier(1.6), backoff.WithRandomizationFactor(0.1), backoff.WithMaxElapsedTime(0),
	)
}

// pass waits until the target is not paused, or until it is the caller's turn
// to probe it: the newest that was never tried comes first, then who has waited
// longest, so that bad messages cannot be the only probes. It returns the
// context's error if that has ended or ends first. s is the caller's memory.
func (o *outage) pass(ctx context.Context, s *suspect) error {
	o.mu.Lock()
	o.waiting = append(o.waiting, s)
	if o.paused {
		o.broadcast() // it may be its turn
	}
	o.mu.Unlock()
	defer o.leave(s)
	for ctx.Err() == nil {
		admitted, changed, delay := o.admit(s)
		if admitted {
			return nil
		}
		timer := time.NewTimer(delay)
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return ctx.Err()
}

// admit reports whether the caller may go on; if not, what to wait for.
func (o *outage) admit(s *suspect) (admitted bool, changed <-chan struct{}, delay time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.admitAll(s) {
		return true, nil, 0
	}
	if o.probing || o.next() != s {
		return false, o.change(), time.Hour
	}
	due := o.probeAt
	if at := o.probedAt.Add(probeNew); !s.failed && at.Before(due) {
		due = at
	}
	if delay = time.Until(due); delay > 0 {
		return false, o.change(), delay
	}
	o.probing, s.probe = true, true
	o.probedAt = time.Now()
	return true, nil, 0
}

// passed reports whether an attempt may still be made by who has passed and
// then waited for something else.
func (o *outage) passed(s *suspect) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.probedBy(s) || o.admitAll(s)
}

// running reports whether the target is not paused; then the caller may go on.
func (o *outage) running(s *suspect) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.admitAll(s)
}

// admitAll admits the caller unless the target is paused.
func (o *outage) admitAll(s *suspect) bool {
	s.pauses, s.probe = o.pauses, false
	return !o.paused
}

// next returns whose turn it is.
func (o *outage) next() *suspect {
	for _, s := range slices.Backward(o.waiting) {
		if !s.failed {
			return s
		}
	}
	return o.waiting[0]
}

func (o *outage) leave(s *suspect) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = slices.DeleteFunc(o.waiting, func(w *suspect) bool { return w == s })
	if o.paused {
		o.broadcast() // it may be somebody else's turn now
	}
}

// succeeded tells that a message got an answer from the target. What failed
// around it failed by itself.
func (o *outage) succeeded() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.successes++
	o.suspects = 0
	o.probing = false
	if o.paused {
		o.paused = false
		o.probes.Reset()
		o.notify(false)
	}
	o.broadcast()
}

// suspect is what a message remembers: when its attempt began, and its last
// uncounted failure.
type suspect struct {
	probe     bool   // the attempt is a probe
	pauses    uint64 // of the target, when the attempt began
	failed    bool
	successes uint64 // of others, when it failed
}

// meet returns the memory of a message that comes in. One that has failed by
// itself before is not taken for a new one.
func (o *outage) meet(failedBefore bool) suspect {
	o.mu.Lock()
	defer o.mu.Unlock()
	return suspect{failed: failedBefore, successes: o.successes}
}

// failed judges a failure that may be the target's: it returns whether it is
// the message's own, once that is known. s is the message's memory.
func (o *outage) failed(ctx context.Context, class Class, s *suspect) (own bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	overlaps := o.pauses > s.pauses // the target went down meanwhile
	if s.failed && o.successes > s.successes && !overlaps {
		// Others have succeeded since it failed before.
		o.endProbe(s)
		s.failed = false
		return true
	}
	s.failed, s.successes = true, o.successes
	if o.paused || overlaps {
		o.endProbe(s)
		return false
	}
	o.suspects++
	if class == Unreachable || o.suspects >= outageAfter {
		o.pause()
		return false
	}
	return o.verdict(ctx, class, s)
}

// verdict waits until others succeed, the target is paused, or neither in
// time. A shutdown leaves it to the next delivery. It is called with the lock
// held.
func (o *outage) verdict(shutdown context.Context, class Class, s *suspect) (own bool) {
	ctx, cancel := context.WithTimeout(shutdown, verdictWait)
	defer cancel()
	for {
		changed := o.change()
		o.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		o.mu.Lock()
		switch {
		case o.pauses > s.pauses:
			return false
		case o.successes > s.successes:
			s.failed = false
			return true
		case ctx.Err() == nil:
			continue
		}
		o.suspects = max(o.suspects-1, 0)
		if shutdown.Err() != nil {
			return false
		}
		if class == Unauthorized {
			o.pause()
			return false
		}
		s.failed = false
		return true
	}
}

func (o *outage) pause() {
	o.paused = true
	o.pauses++
	o.suspects = 0
	o.probedAt = time.Now()
	o.probeAt = o.probedAt.Add(o.probes.NextBackOff())
	o.notify(true)
	o.broadcast()
}

// endProbe puts the next probe off, if the attempt was one.
func (o *outage) endProbe(s *suspect) {
	if o.probedBy(s) {
		o.probing = false
		o.probeAt = time.Now().Add(o.probes.NextBackOff())
		o.broadcast()
	}
}

// abandoned tells that a caller of pass did not come to a result.
func (o *outage) abandoned(s *suspect) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.probedBy(s) {
		o.probing = false
		o.broadcast()
	}
}

// probedBy reports whether the attempt is the probe of this pause.
func (o *outage) probedBy(s *suspect) bool {
	return s.probe && o.paused && s.pauses == o.pauses
}

// change returns what is closed at the next change. It is called with the lock
// held.
func (o *outage) change() <-chan struct{} {
	if o.changed == nil {
		o.changed = make(chan struct{})
	}
	return o.changed
}

func (o *outage) broadcast() {
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
}
