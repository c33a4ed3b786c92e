package subscribers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/broker"
)

// bucketName is the key-value bucket of the subscribers, a key each.
const bucketName = "logoutd_subscribers"

// callTimeout bounds what is asked of the broker in one go: a cluster without a
// leader does not answer at all.
const callTimeout = 5 * time.Second

// record is a subscriber in the bucket, under its name.
type record struct {
	Name         string    `json:"name"`
	PasswordHash string    `json:"bcrypt"`
	Consumers    []string  `json:"consumers"`
	CreatedAt    time.Time `json:"created_at"`
	CreatedBy    string    `json:"created_by"`
	Revoked      bool      `json:"revoked,omitempty"`
}

func (r record) shown() Subscriber {
	return Subscriber{Name: r.Name, Consumers: r.Consumers, CreatedAt: r.CreatedAt, CreatedBy: r.CreatedBy, Revoked: r.Revoked}
}

func (r record) account() broker.Subscriber {
	return broker.Subscriber{Name: r.Name, PasswordHash: r.PasswordHash, Consumers: r.Consumers}
}

var (
	validHash = regexp.MustCompile(`^\$2[aby]\$\d{2}\$[./A-Za-z0-9]{53}$`)
	errRecord = errors.New("this is no subscriber: its name, its consumers or its hash")
)

// decode reads an entry of the bucket. Everything in it is checked, because it
// goes into the configuration of the broker.
func decode(entry jetstream.KeyValueEntry) (r record, err error) {
	if err := json.Unmarshal(entry.Value(), &r); err != nil {
		return r, err
	}
	n := len(r.Consumers)
	if r.Name != entry.Key() || checkName(r.Name) != nil || n < 1 || n > MaxConsumers ||
		!slices.Equal(r.Consumers, consumersOf(r.Name, n)) || !validHash.MatchString(r.PasswordHash) {
		return r, errRecord
	}
	return r, nil
}

// with calls f with the bucket, which is made on first use.
func (s *Subscribers) with(ctx context.Context, doing string, f func(context.Context, jetstream.KeyValue) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	bucket, err := broker.OpenBucket(ctx, s.config.JetStream, jetstream.KeyValueConfig{
		Bucket: bucketName, Description: "subscribers and the hashes of their passwords",
	})
	if err == nil {
		err = f(ctx, bucket)
	}
	if err != nil && !errors.Is(err, ErrExists) && !errors.Is(err, ErrNoSubscriber) {
		return broker.Unavailable(doing, err)
	}
	return err
}

// store puts a new subscriber into the bucket.
func (s *Subscribers) store(ctx context.Context, r record) error {
	value, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encoding subscriber: %w", err)
	}
	return s.with(ctx, "creating subscriber", func(ctx context.Context, bucket jetstream.KeyValue) error {
		_, err := bucket.Create(ctx, r.Name, value)
		// On a stream with replicas the second of two at once has a code of its own.
		var refused *jetstream.APIError
		if errors.Is(err, jetstream.ErrKeyExists) ||
			errors.As(err, &refused) && refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant {
			return ErrExists
		}
		return err
	})
}

// markRevoked notes in the bucket that a subscriber is to be let in no more.
func (s *Subscribers) markRevoked(ctx context.Context, name string) (r record, err error) {
	err = s.with(ctx, "revoking subscriber", func(ctx context.Context, bucket jetstream.KeyValue) error {
		entry, err := bucket.Get(ctx, name)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			return ErrNoSubscriber
		}
		if err != nil {
			return err
		}
		if r, err = decode(entry); err != nil {
			return fmt.Errorf("decoding subscriber: %w", err)
		}
		r.Revoked = true
		value, err := json.Marshal(r)
		if err != nil {
			return err
		}
		_, err = bucket.Update(ctx, name, value, entry.Revision())
		return err
	})
	return r, err
}

func (s *Subscribers) erase(ctx context.Context, name string) error {
	return s.with(ctx, "revoking subscriber", func(ctx context.Context, bucket jetstream.KeyValue) error {
		return bucket.Delete(ctx, name)
	})
}

// read returns all subscribers.
func (s *Subscribers) read(ctx context.Context) (all []record, err error) {
	err = s.with(ctx, "reading subscribers", func(ctx context.Context, bucket jetstream.KeyValue) error {
		watcher, err := bucket.WatchAll(ctx, jetstream.IgnoreDeletes())
		if err != nil {
			return err
		}
		defer func() { _ = watcher.Stop() }()
		for {
			select {
			case entry, open := <-watcher.Updates():
				if !open {
					return errors.New("the broker tells nothing any more")
				}
				if entry == nil { // that was all
					return nil
				}
				r, err := decode(entry)
				if err != nil {
					s.config.Logger.Error("subscriber cannot be read, and is not let in", "subscriber", entry.Key(), "err", err)
					continue
				}
				all = append(all, r)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	return all, err
}
