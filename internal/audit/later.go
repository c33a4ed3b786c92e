package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/logoutd/logoutd/internal/broker"
)

// maxWaiting is how many entries wait for the broker at most: logins and
// logouts of operators in an outage are few.
const maxWaiting = 1000

const (
	// retryAfter is how long [Log.Run] waits before it asks a broker again
	// that did not take an entry.
	retryAfter = time.Second
	// lastAttempt is how long it tries when it ends.
	lastAttempt = 2 * time.Second
)

// ErrLater says that an entry is not written yet. It is written by [Log.Run]
// once the broker takes it, unless the process ends before.
var ErrLater = errors.New("audit entry is written once the broker is back")

// AppendLater appends an entry, or leaves it to [Log.Run] where the broker
// does not take it: for what operators must be able to do during an outage. An
// error wraps [ErrLater] where it was left to Run; after any other it will not
// be written. Log the entry in both cases.
func (l *Log) AppendLater(ctx context.Context, e Entry) error {
	e = e.named()
	err := broker.Unavailable("appending audit entry", broker.ErrNotConnected)
	if l.js.Conn().IsConnected() {
		err = l.Append(ctx, e)
	}
	if err == nil || !errors.Is(err, broker.ErrUnavailable) {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) >= maxWaiting {
		return fmt.Errorf("%d audit entries wait already: %w", maxWaiting, err)
	}
	l.waiting = append(l.waiting, e)
	select {
	case l.arrived <- struct{}{}:
	default:
	}
	return fmt.Errorf("%w: %w", ErrLater, err)
}

// Run writes what [Log.AppendLater] has left, in its order, until ctx ends, and
// returns nil.
func (l *Log) Run(ctx context.Context) error {
	for {
		var again <-chan time.Time
		if !l.writeWaiting(ctx) {
			again = time.After(retryAfter)
		}
		select {
		case <-l.arrived:
		case <-again:
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastAttempt)
			defer cancel()
			l.writeWaiting(ctx)
			return nil
		}
	}
}

// writeWaiting reports whether no entry waits any more.
func (l *Log) writeWaiting(ctx context.Context) bool {
	for {
		l.mu.Lock()
		if len(l.waiting) == 0 {
			l.mu.Unlock()
			return true
		}
		next := l.waiting[0]
		l.mu.Unlock()
		if !l.js.Conn().IsConnected() {
			return false
		}
		if err := l.Append(ctx, next); errors.Is(err, broker.ErrUnavailable) {
			return false
		}
		l.mu.Lock()
		l.waiting = l.waiting[1:]
		l.mu.Unlock()
	}
}
