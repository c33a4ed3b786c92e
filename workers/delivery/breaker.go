package delivery

import (
	"context"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
)

const (
	// openAfter is how many failures in a row open the breaker.
	openAfter = 5
	// probeFirst and probeMax bound the delay between the probes of an open
	// breaker.
	probeFirst = 500 * time.Millisecond
	probeMax   = 5 * time.Second
	// maxRemembered bounds what the breaker remembers of messages. A message that
	// is forgotten fails once more without being blamed.
	maxRemembered = 10_000
)

// breaker is a target's circuit breaker. It also says whose failure is whose.
type breaker struct {
	notify func(open bool, cause *Failure) // called on each change, with the lock held

	mu           sync.Mutex
	disabled     bool // by the target; an operator enables it
	open         bool
	probing      bool
	probeAt      time.Time         // the next probe of an open breaker
	holdUntil    time.Time         // the target asked for patience
	failures     int               // in a row
	successes    uint64            // ever
	failedBefore map[string]uint64 // successes when a message failed, by its id
	probes       *backoff.ExponentialBackOff
	changed      chan struct{} // closed on each change
}

func newBreaker(notify func(open bool, cause *Failure)) *breaker {
	return &breaker{notify: notify, probes: Probes(), failedBefore: map[string]uint64{}, changed: make(chan struct{})}
}

// Probes spaces attempts to reach whatever is down. It never ends.
func Probes() *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(probeFirst), backoff.WithMaxInterval(probeMax),
		backoff.WithMultiplier(1.6), backoff.WithRandomizationFactor(0.1), backoff.WithMaxElapsedTime(0),
	)
}

// admit waits until a message may be pulled, and returns whether it is a probe.
// It returns the error of ctx if that ends first.
func (b *breaker) admit(ctx context.Context) (probe bool, err error) {
	for {
		probe, delay, changed := b.tryAdmit()
		if delay == 0 {
			return probe, ctx.Err()
		}
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
}

// tryAdmit returns how long to wait before it makes sense to try again, or 0.
func (b *breaker) tryAdmit() (probe bool, delay time.Duration, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.disabled || b.probing {
		return false, time.Hour, b.changed
	}
	due := b.holdUntil
	if b.open && b.probeAt.After(due) {
		due = b.probeAt
	}
	if delay = time.Until(due); delay > 0 {
		return false, delay, b.changed
	}
	b.probing = b.open
	return b.open, 0, nil
}

// setDisabled stops all attempts, or lets them begin again.
func (b *breaker) setDisabled(disabled bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.disabled = disabled
	b.broadcast()
}

// blocked reports whether an attempt has to wait.
func (b *breaker) blocked(probe bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.disabled || b.open && !probe || time.Now().Before(b.holdUntil)
}

// unused tells that a probe has found nothing to send.
func (b *breaker) unused() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	b.broadcast()
}

// forget drops what is remembered of a message that is done with.
func (b *breaker) forget(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.failedBefore, id)
}

// succeeded tells that the target has answered a message, id, as it should.
func (b *breaker) succeeded(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.failedBefore, id)
	b.successes++
	b.failures, b.probing = 0, false
	if b.open {
		b.open = false
		b.probes.Reset()
		b.notify(false, nil)
	}
	b.broadcast()
}

// failed judges a failure that may be the target's. It returns true where it is
// the message's own: the target has answered others since the message failed
// before. A message that has proven so stays to blame while no other fails.
func (b *breaker) failed(id string, f *Failure, proven, probe bool) (own bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before, known := b.failedBefore[id]
	own = !b.open && (known && b.successes > before || proven && b.failures == 0 && f.Class == Transient)
	if known || len(b.failedBefore) < maxRemembered {
		b.failedBefore[id] = b.successes
	}
	if f.Class == Throttled {
		own = false
		if until := time.Now().Add(max(f.RetryAfter, time.Second)); until.After(b.holdUntil) {
			b.holdUntil = until
		}
	}
	if probe {
		b.probing = false
		b.probeAt = time.Now().Add(b.probes.NextBackOff())
	}
	if !own && !b.open {
		if b.failures++; b.failures >= openAfter || f.Class == Unreachable || f.Class == Unauthorized {
			b.open = true
			b.probeAt = time.Now().Add(b.probes.NextBackOff())
			b.notify(true, f)
		}
	}
	b.broadcast()
	return own
}

func (b *breaker) broadcast() {
	close(b.changed)
	b.changed = make(chan struct{})
}
