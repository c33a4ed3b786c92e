package handlers

import (
	"context"
	"sync/atomic"
	"time"
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

func (f *front) trouble(ctx context.Context, s *seldom, message string, err error) {
	if s.due(time.Now()) {
		f.log.WarnContext(ctx, message, "err", err)
	}
}
