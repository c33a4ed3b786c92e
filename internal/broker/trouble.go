package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/messages"
)

// probeEvery is how often a broker that has refused requests is probed at most:
// often enough that a health check with a period of some seconds notices that it
// takes them again.
const probeEvery = time.Second

var errNoAck = errors.New("connected, but does not acknowledge")

// trouble is what a publisher knows of a broker that takes no requests.
type trouble struct {
	cause atomic.Pointer[error] // of the latest publish of requests; nil: it succeeded

	mu     sync.Mutex // held while a probe is under way
	probed time.Time  // when the latest one ended
}

// Trouble returns an error from a failed publish of requests on until one
// succeeds: a broker may be connected and still acknowledge nothing, say because
// its disk is full. A front end that is not ready gets
// no requests to publish, so Trouble publishes a probe, once per second at
// most: a batch without requests, which the revoker removes. The text of the
// error may be shown to anybody.
func (p *Publisher) Trouble(ctx context.Context) error {
	if p.trouble.cause.Load() == nil {
		return nil
	}
	p.trouble.mu.Lock()
	defer p.trouble.mu.Unlock()
	if p.trouble.cause.Load() != nil && time.Since(p.trouble.probed) >= probeEvery {
		p.probe(ctx)
	}
	cause := p.trouble.cause.Load()
	if cause == nil {
		return nil
	}
	var refused *jetstream.APIError
	if errors.As(*cause, &refused) {
		return fmt.Errorf("connected, but refuses what is published: %s", refused.Description)
	}
	return errNoAck
}

// probe publishes a batch without requests. The caller holds trouble.mu.
func (p *Publisher) probe(ctx context.Context) {
	err := p.publish(ctx, messages.NewMessage(messages.SubjectRequests, messages.NewID(), messages.ContentTypeBatch, "", []byte("[]")))
	p.trouble.probed = time.Now()
	switch {
	case err == nil:
		p.trouble.cause.Store(nil)
	case ctx.Err() == nil:
		p.trouble.cause.Store(&err)
	}
}
