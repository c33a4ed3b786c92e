package jobs

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/broker"
)

// KV buckets. They are made on first use.
const (
	bucketJobs  = "logoutd_jobs"  // plans and jobs, a key each
	bucketPlans = "logoutd_plans" // the items of plans, in parts: <token>.<number>
)

const (
	// callTimeout bounds one call of the broker: a cluster without a leader
	// does not answer at all. Several fit into the life of a lease.
	callTimeout = 2 * time.Second
	// markerLifetime is how long a removed record leaves a trace, so that who
	// follows the records is told.
	markerLifetime = time.Hour
)

// bucket is a KV bucket that is made on first use, and opened anew after an
// error: it may have been made anew too.
type bucket struct {
	js     jetstream.JetStream
	config jetstream.KeyValueConfig

	mu   sync.Mutex
	open jetstream.KeyValue
}

func newBuckets(js jetstream.JetStream) (jobs, plans *bucket) {
	return &bucket{js: js, config: jetstream.KeyValueConfig{
			Bucket: bucketJobs, Description: "jobs of operators and their plans", LimitMarkerTTL: markerLifetime,
		}}, &bucket{js: js, config: jetstream.KeyValueConfig{
			Bucket: bucketPlans, Description: "the items of operators' jobs",
		}}
}

// do calls f with the bucket, for no longer than callTimeout.
func (b *bucket) do(ctx context.Context, f func(context.Context, jetstream.KeyValue) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	kv, err := b.kv(ctx)
	if err != nil {
		return err
	}
	err = f(ctx, kv)
	if err != nil && !expected(err) {
		b.forget(kv)
	}
	return err
}

// expected reports whether an error is an answer about a key.
func expected(err error) bool {
	return errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrKeyRevisionMismatch)
}

func (b *bucket) kv(ctx context.Context) (jetstream.KeyValue, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open != nil {
		return b.open, nil
	}
	var err error
	b.open, err = broker.OpenBucket(ctx, b.js, b.config)
	return b.open, err
}

func (b *bucket) forget(kv jetstream.KeyValue) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open == kv {
		b.open = nil
	}
}

func (b *bucket) stream(ctx context.Context) (jetstream.Stream, error) {
	return b.js.Stream(ctx, "KV_"+b.config.Bucket)
}
