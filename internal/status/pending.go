package status

import (
	"context"
	"errors"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

// errEnough ends a look at pending requests.
var errEnough = errors.New("looked at enough")

// pending returns the first pending request that matches; nil: there is none
// among those that were looked at.
func (q *inquiry) pending(matches func(messages.Request) bool) (*messages.Request, error) {
	ctx, cancel := context.WithTimeout(q.ctx, readTimeout)
	defer cancel()
	var found *messages.Request
	looked := 0
	err := broker.Pending(ctx, q.JetStream, func(requests []messages.Request) error {
		for i := range requests {
			if matches(requests[i]) {
				found = &requests[i]
				return errEnough
			}
		}
		if looked += len(requests); looked >= maxPending {
			q.note(manyPending)
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, q.excuse(err)
	}
	return found, nil
}
