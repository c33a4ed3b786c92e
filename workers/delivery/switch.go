package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
)

const (
	bucketDisabled = "logoutd_disabled"
	// switchEvery is how often a worker looks whether its target was enabled or
	// disabled elsewhere.
	switchEvery = 2 * time.Second
)

// Disabled is a target that is told nothing until an operator enables it.
type Disabled struct {
	Kind   string      `json:"kind"`
	Target string      `json:"target"`
	Since  events.Time `json:"since"`
	Code   string      `json:"code"`
	Reason string      `json:"reason"`
}

// Switches keeps in the broker which targets are disabled.
type Switches struct{ js jetstream.JetStream }

// NewSwitches returns the switches kept behind js.
func NewSwitches(js jetstream.JetStream) *Switches { return &Switches{js} }

// Disable disables a target. Errors wrap [broker.ErrUnavailable].
func (s *Switches) Disable(ctx context.Context, d Disabled) error {
	value, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("disabling target: %w", err)
	}
	bucket, err := broker.OpenBucket(ctx, s.js, jetstream.KeyValueConfig{Bucket: bucketDisabled, Description: "targets that are disabled"})
	if err == nil {
		_, err = bucket.Put(ctx, d.Kind+"."+d.Target, value)
	}
	if err != nil {
		return broker.Unavailable("disabling target", err)
	}
	return nil
}

// Enable enables a target. It returns false if the target was not disabled.
// Errors wrap [broker.ErrUnavailable].
func (s *Switches) Enable(ctx context.Context, kind, target string) (bool, error) {
	bucket, err := s.js.KeyValue(ctx, bucketDisabled)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return false, nil
	}
	if err == nil {
		_, err = bucket.Get(ctx, kind+"."+target)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			return false, nil
		}
	}
	if err == nil {
		err = bucket.Purge(ctx, kind+"."+target)
	}
	if err != nil {
		return false, broker.Unavailable("enabling target", err)
	}
	return true, nil
}

// All returns the targets that are disabled. Errors wrap
// [broker.ErrUnavailable].
func (s *Switches) All(ctx context.Context) ([]Disabled, error) {
	bucket, err := s.js.KeyValue(ctx, bucketDisabled)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, broker.Unavailable("reading disabled targets", err)
	}
	keys, err := bucket.Keys(ctx)
	if err != nil && !errors.Is(err, jetstream.ErrNoKeysFound) {
		return nil, broker.Unavailable("reading disabled targets", err)
	}
	var all []Disabled
	for _, key := range keys {
		entry, err := bucket.Get(ctx, key)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			continue
		}
		if err != nil {
			return nil, broker.Unavailable("reading disabled targets", err)
		}
		var d Disabled
		if json.Unmarshal(entry.Value(), &d) == nil {
			all = append(all, d)
		}
	}
	return all, nil
}

// disable disables the worker's target.
func (w *Worker) disable(ctx context.Context, f *Failure) {
	w.breaker.setDisabled(true)
	d := Disabled{Kind: w.step, Target: w.name, Since: events.At(time.Now()), Code: f.Code, Reason: f.Err.Error()}
	if err := w.switches.Disable(context.WithoutCancel(ctx), d); err != nil {
		w.breaker.setDisabled(false) // it answers so again
		broker.LogFailure(ctx, w.Logger, w.JetStream, "target cannot be disabled", "step", w.step, "target", w.name, "err", err)
		return
	}
	w.Logger.Error("target is disabled: it asked for no more deliveries; enable it with logoutd targets enable",
		"step", w.step, "target", w.name, "err", f, "answer", f.Answer)
}

// followSwitch follows what operators and other workers do, until ctx ends.
func (w *Worker) followSwitch(ctx context.Context) {
	for sleep(ctx, switchEvery) {
		w.readSwitch(ctx)
	}
}

// readSwitch takes over whether the target is disabled. If the broker does not
// tell, it stays as it was.
func (w *Worker) readSwitch(ctx context.Context) {
	all, err := w.switches.All(ctx)
	if err == nil {
		w.breaker.setDisabled(slices.ContainsFunc(all, func(d Disabled) bool { return d.Kind == w.step && d.Target == w.name }))
	}
}
