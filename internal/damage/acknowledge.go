package damage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/broker"
)

// bucket is the key-value bucket of what is acknowledged: a key for each stream,
// whose value is the [identity] that it had then.
var bucket = jetstream.KeyValueConfig{
	Bucket: "logoutd_damage", Description: "up to where operators have acknowledged that streams lost messages",
}

// Acknowledge ends the report of all findings, and returns them. The other
// processes are told by Run.
func (w *Watch) Acknowledge() ([]Finding, error) {
	if w == nil {
		return nil, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.state
	found := before.Findings
	w.state.Findings, w.state.Untold = nil, maps.Clone(before.Untold)
	for _, f := range found {
		if w.state.Untold == nil {
			w.state.Untold = map[string]identity{}
		}
		w.state.Untold[f.Stream] = w.state.Streams[f.Stream]
	}
	if err := w.state.write(w.Path); err != nil {
		w.state = before
		return nil, fmt.Errorf("writing down what was acknowledged: %w", err)
	}
	return found, nil
}

// share tells the other processes what was acknowledged here, and takes over what
// was acknowledged there. What does not succeed is tried again at the next look.
func (w *Watch) share(ctx context.Context) error {
	untold, found := w.unsettled()
	if len(untold) == 0 && len(found) == 0 {
		return nil
	}
	kv, err := broker.OpenBucket(ctx, w.JetStream, bucket)
	if err != nil {
		return err
	}
	for stream, at := range untold {
		value, err := json.Marshal(at)
		if err == nil {
			_, err = kv.Put(ctx, stream, value)
		}
		if err != nil {
			return err
		}
		w.told(stream, at)
	}
	for _, stream := range found {
		entry, err := kv.Get(ctx, stream)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			continue
		}
		var upTo identity
		if err == nil {
			err = json.Unmarshal(entry.Value(), &upTo)
		}
		if err != nil {
			return err
		}
		w.settle(stream, upTo)
	}
	return nil
}

// unsettled returns what the others do not know yet, and the streams with
// findings.
func (w *Watch) unsettled() (untold map[string]identity, found []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.state.Findings {
		if !slices.Contains(found, f.Stream) {
			found = append(found, f.Stream)
		}
	}
	return maps.Clone(w.state.Untold), found
}

// told notes that the others know what was acknowledged here.
func (w *Watch) told(stream string, at identity) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state.Untold[stream] == at {
		delete(w.state.Untold, stream)
		w.save()
	}
}

// settle drops the findings of a stream that were acknowledged elsewhere.
func (w *Watch) settle(stream string, upTo identity) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.state.Findings)
	w.state.Findings = slices.DeleteFunc(slices.Clone(w.state.Findings), func(f Finding) bool {
		return f.Stream == stream && f.At.within(upTo)
	})
	if len(w.state.Findings) < n {
		w.save()
	}
}
