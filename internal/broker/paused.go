package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/logoutd/logoutd/events"

	"github.com/nats-io/nats.go/jetstream"
)

// BucketPaused is the key-value bucket of current pauses ([Paused]), one key a step
// and target. An entry that is not refreshed expires after [PausedTTL].
const BucketPaused = "logoutd_paused"

// PausedTTL is how long an entry of [BucketPaused] lives. Workers refresh theirs
// well before.
const PausedTTL = 30 * time.Second

// Paused says that workers wait because the store or a target is down.
type Paused struct {
	Step   string      `json:"-"` // of the key
	Target string      `json:"-"` // of the key; empty: the store
	Since  events.Time `json:"since"`
	Code   string      `json:"code,omitempty"` // of the failure that began it
	// Refused means that the target rejects logoutd's credentials: somebody has
	// to correct them.
	Refused bool `json:"refused,omitempty"`
}

// key is <step>.<target>, or the step alone.
func (p Paused) key() string { return strings.TrimSuffix(p.Step+"."+p.Target, ".") }

// PutPaused announces a pause to all processes, for [PausedTTL]. It creates the
// bucket if there is none. Errors wrap [ErrUnavailable].
func PutPaused(ctx context.Context, js jetstream.JetStream, p Paused) error {
	value, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encoding pause: %w", err)
	}
	bucket, err := OpenBucket(ctx, js, jetstream.KeyValueConfig{
		Bucket: BucketPaused, Description: "what is paused at the moment", TTL: PausedTTL,
	})
	if err == nil {
		_, err = bucket.Put(ctx, p.key(), value)
	}
	if err != nil {
		return Unavailable("telling of a pause", err)
	}
	return nil
}

// DeletePaused announces the end of a pause to all processes.
func DeletePaused(ctx context.Context, js jetstream.JetStream, p Paused) error {
	bucket, err := js.KeyValue(ctx, BucketPaused)
	if err == nil {
		err = bucket.Delete(ctx, p.key())
	}
	if err != nil {
		return Unavailable("telling of the end of a pause", err)
	}
	return nil
}

// AllPaused returns the current pauses, in no order.
func AllPaused(ctx context.Context, js jetstream.JetStream) ([]Paused, error) {
	bucket, err := js.KeyValue(ctx, BucketPaused)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, nil // there was no pause yet
	}
	if err != nil {
		return nil, Unavailable("reading pauses", err)
	}
	watcher, err := bucket.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, Unavailable("reading pauses", err)
	}
	defer func() { _ = watcher.Stop() }()
	var all []Paused
	for {
		select {
		case entry := <-watcher.Updates():
			if entry == nil { // later entries are new
				return all, nil
			}
			all = append(all, readPaused(entry))
		case <-ctx.Done():
			return nil, Unavailable("reading pauses", ctx.Err())
		}
	}
}

func readPaused(entry jetstream.KeyValueEntry) Paused {
	var p Paused
	_ = json.Unmarshal(entry.Value(), &p) // the key is enough
	p.Step, p.Target, _ = strings.Cut(entry.Key(), ".")
	return p
}
