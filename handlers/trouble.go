package handlers

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/logoutd/logoutd/internal/broker"
)

// troubleInterval is how often the same trouble is logged at most: an outage
// fails every request, and the metrics count them all.
const troubleInterval = 10 * time.Second

// seldom says yes once an interval. Its zero value is ready.
type seldom struct{ next atomic.Int64 }

func (s *seldom) due(now time.Time) bool {
	next := s.next.Load()
	return now.UnixNano() >= next && s.next.CompareAndSwap(next, now.Add(troubleInterval).UnixNano())
}

// trouble logs a failure that is not the client's. That there is no connection
// to the broker is logged by whoever holds it, with the cause.
func (f *front) trouble(ctx context.Context, s *seldom, message string, err error) {
	if errors.Is(err, broker.ErrNotConnected) {
		f.log.DebugContext(ctx, message, "err", err)
	} else if s.due(time.Now()) {
		f.log.WarnContext(ctx, message, "err", err)
	}
}
