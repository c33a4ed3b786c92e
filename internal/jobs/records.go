package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/nats-io/nats.go/jetstream"
)

// errConflict says that a record was changed by somebody else meanwhile.
var errConflict = errors.New("changed by another process")

// records are the plans and jobs in the broker.
type records struct{ *bucket }

func decode(entry jetstream.KeyValueEntry) (record, error) {
	r := record{revision: entry.Revision()}
	if err := json.Unmarshal(entry.Value(), &r); err != nil {
		return r, fmt.Errorf("decoding job %s: %w", entry.Key(), err)
	}
	return r, nil
}

// get returns a record, or [ErrNoJob].
func (b records) get(ctx context.Context, id string) (r record, err error) {
	if uuid.Validate(id) != nil {
		return record{}, ErrNoJob
	}
	err = b.do(ctx, func(ctx context.Context, kv jetstream.KeyValue) error {
		entry, err := kv.Get(ctx, id)
		if err == nil {
			r, err = decode(entry)
		}
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound), errors.Is(err, jetstream.ErrKeyDeleted):
		return record{}, ErrNoJob
	case err != nil:
		return record{}, broker.Unavailable("reading job", err)
	}
	return r, nil
}

// put writes a record if nobody has since it was read, and returns it with its
// new revision; otherwise the error is errConflict.
func (b records) put(ctx context.Context, r record) (record, error) {
	r.UpdatedAt = now()
	value, err := r.encode()
	if err != nil {
		return record{}, err
	}
	err = b.do(ctx, func(ctx context.Context, kv jetstream.KeyValue) error {
		r.revision, err = kv.Update(ctx, r.ID, value, r.revision)
		return err
	})
	return r, written(err)
}

// remove deletes a record if nobody has changed it since it was read.
func (b records) remove(ctx context.Context, r record) error {
	return written(b.do(ctx, func(ctx context.Context, kv jetstream.KeyValue) error {
		return kv.Purge(ctx, r.ID, jetstream.LastRevision(r.revision), jetstream.PurgeTTL(markerLifetime))
	}))
}

func written(err error) error {
	switch {
	case errors.Is(err, jetstream.ErrKeyRevisionMismatch):
		return errConflict
	case err != nil:
		return broker.Unavailable("writing job", err)
	}
	return nil
}

// all returns every record that can be read, in no order.
func (b records) all(ctx context.Context) ([]record, error) {
	var all []record
	w, err := b.watch(ctx)
	if err != nil {
		return nil, broker.Unavailable("reading jobs", err)
	}
	defer w.stop()
	for entry := range w.Updates() {
		if entry == nil {
			return all, nil
		}
		if r, err := decode(entry); err == nil && entry.Operation() == jetstream.KeyValuePut {
			all = append(all, r)
		}
	}
	return nil, broker.Unavailable("reading jobs", errSilent)
}
