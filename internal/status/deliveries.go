package status

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/outcomes"
)

// deliveries notes which targets have still to be told, of what matches, and
// returns whether there are any. It sets Told where it is known that there are
// none.
func (q *inquiry) deliveries(matches func(messages.Delivery) bool) (waiting bool, err error) {
	if q.brokerDown {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(q.ctx, readTimeout)
	defer cancel()
	targets, whole, err := outcomes.Deliveries(ctx, q.JetStream, matches)
	if err != nil {
		return false, q.excuse(fmt.Errorf("looking for deliveries: %w: %w", broker.ErrUnavailable, err))
	}
	q.Waiting = targets
	for _, target := range targets {
		q.note(waitingFor(target))
	}
	if !whole {
		q.note(manyDeliveries)
	}
	q.DeliveriesKnown = whole
	q.Told = whole && len(targets) == 0
	return len(targets) > 0, nil
}

// waitingFor says that a target has still to be told.
func waitingFor(w outcomes.Waiting) string {
	text := fmt.Sprintf("Not told yet: target %s · %s (%d waiting)", w.Kind, w.Target, w.Deliveries)
	if w.Paused != nil {
		return fmt.Sprintf("%s, which is paused since %s (%s).", text, w.Paused.Since.UTC().Format(time.RFC3339), w.Paused.Code)
	}
	if !w.Served {
		return text + ": no worker has ever served it; is it in the settings?"
	}
	return text + "."
}

// latestLogout returns the latest public event of the user among the latest
// maxEvents, and notes the tenants of other users of the same id.
func (q *inquiry) latestLogout() (*events.Revoked, error) {
	if q.brokerDown {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(q.ctx, readTimeout)
	defer cancel()
	var latest *events.Revoked
	whole, err := q.eachEvent(ctx, func(e events.Revoked) {
		switch {
		case e.UserID != q.UserID:
		case e.TenantID == q.TenantID:
			latest = &e
		default:
			q.elsewhere(e.TenantID)
		}
	})
	if err != nil {
		return nil, q.excuse(fmt.Errorf("looking for logouts: %w: %w", broker.ErrUnavailable, err))
	}
	if !whole {
		q.note(manyEvents)
	}
	return latest, nil
}

func (q *inquiry) eachEvent(ctx context.Context, do func(events.Revoked)) (whole bool, err error) {
	stream, err := q.JetStream.Stream(ctx, events.StreamEvents)
	if err != nil {
		return false, err
	}
	config := reading(time.Time{}, stream.CachedInfo().State)
	config.HeadersOnly = false
	consumer, err := stream.OrderedConsumer(ctx, config)
	if err != nil {
		return false, err
	}
	return outcomes.Read(ctx, consumer, func(msg jetstream.Msg) {
		var e events.Event[events.Revoked]
		if json.Unmarshal(msg.Data(), &e) == nil {
			do(e.Data)
		}
	})
}

// elsewhere notes that a user of the same id is known in another tenant.
func (q *inquiry) elsewhere(tenant string) {
	name := "tenant " + tenant
	if tenant == "" {
		name = "the default tenant"
	}
	q.note("A user of this id is known in " + name + ": name the tenant to see them.")
}
