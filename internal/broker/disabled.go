package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
)

// BucketDisabled is the key-value bucket of the targets that are disabled
// ([Disabled]), one key for each.
const BucketDisabled = "logoutd_disabled"

// Disabled is a target that is told nothing until an operator enables it.
type Disabled struct {
	Kind   string      `json:"-"` // of the key
	Target string      `json:"-"` // of the key
	Since  events.Time `json:"since"`
	Code   string      `json:"code"`
	Reason string      `json:"reason"`
}

// DisableTarget disables a target. Errors wrap [ErrUnavailable].
func DisableTarget(ctx context.Context, js jetstream.JetStream, d Disabled) error {
	value, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("disabling target: %w", err)
	}
	bucket, err := OpenBucket(ctx, js, jetstream.KeyValueConfig{
		Bucket: BucketDisabled, Description: "targets that are disabled",
	})
	if err == nil {
		_, err = bucket.Put(ctx, d.Kind+"."+d.Target, value)
	}
	if err != nil {
		return Unavailable("disabling target", err)
	}
	return nil
}

// EnableTarget enables a target. It returns false if the target was not disabled.
// Errors wrap [ErrUnavailable].
func EnableTarget(ctx context.Context, js jetstream.JetStream, kind, target string) (bool, error) {
	disabled, err := TargetDisabled(ctx, js, kind, target)
	if err != nil || !disabled {
		return false, err
	}
	bucket, err := js.KeyValue(ctx, BucketDisabled)
	if err == nil {
		err = bucket.Delete(ctx, kind+"."+target)
	}
	if err != nil {
		return false, Unavailable("enabling target", err)
	}
	return true, nil
}

// TargetDisabled reports whether a target is disabled. Errors wrap
// [ErrUnavailable].
func TargetDisabled(ctx context.Context, js jetstream.JetStream, kind, target string) (bool, error) {
	bucket, err := js.KeyValue(ctx, BucketDisabled)
	if err == nil {
		_, err = bucket.Get(ctx, kind+"."+target)
	}
	switch {
	case errors.Is(err, jetstream.ErrBucketNotFound), errors.Is(err, jetstream.ErrKeyNotFound):
		return false, nil
	case err != nil:
		return false, Unavailable("reading whether a target is disabled", err)
	}
	return true, nil
}

// AllDisabled returns the targets that are disabled, in no order. Errors wrap
// [ErrUnavailable].
func AllDisabled(ctx context.Context, js jetstream.JetStream) ([]Disabled, error) {
	bucket, err := js.KeyValue(ctx, BucketDisabled)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, Unavailable("reading disabled targets", err)
	}
	watcher, err := bucket.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, Unavailable("reading disabled targets", err)
	}
	defer func() { _ = watcher.Stop() }()
	var all []Disabled
	for {
		select {
		case entry := <-watcher.Updates():
			if entry == nil { // the rest are changes from now on
				return all, nil
			}
			var d Disabled
			_ = json.Unmarshal(entry.Value(), &d) // its key says enough
			d.Kind, d.Target, _ = strings.Cut(entry.Key(), ".")
			all = append(all, d)
		case <-ctx.Done():
			return nil, Unavailable("reading disabled targets", ctx.Err())
		}
	}
}
