package status

import (
	"context"
	"errors"

	"github.com/logoutd/logoutd/events"
)

// errEnough ends a look at pending requests.
var errEnough = errors.New("looked at enough")

// pending returns the first pending request that matches; nil: there is none
// among those that were looked at.
func (q *inquiry) pending(matches func(events.Request) bool) (*events.Request, error) {
	ctx, cancel := context.WithTimeout(q.ctx, readTimeout)
	defer cancel()
	var found *events.Request
	looked := 0
	err := events.Pending(ctx, q.JetStream, func(requests []events.Request) error {
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
