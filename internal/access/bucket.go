package access

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/broker"
)

// callTimeout bounds what is asked of the broker in one go: a cluster without a
// leader does not answer at all.
const callTimeout = 2 * time.Second

// record is a token in the bucket.
type record struct {
	Role      Role      `json:"role"`
	Hash      string    `json:"sha256"` // of the secret, base64url
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`
}

// keyOf returns the key of a name. A "." could stand where a key may have none.
func keyOf(name string) string { return strings.ReplaceAll(name, ".", "/") }

func nameOf(key string) string { return strings.ReplaceAll(key, "/", ".") }

// bucket is a key-value bucket in the broker, which is made on first use.
type bucket struct {
	js                jetstream.JetStream
	name, description string
	lifetime          time.Duration // of what is written; 0: for ever
}

// open returns the bucket.
func (b *bucket) open(ctx context.Context) (jetstream.KeyValue, error) {
	return broker.OpenBucket(ctx, b.js, jetstream.KeyValueConfig{Bucket: b.name, Description: b.description, TTL: b.lifetime})
}

// store puts a new token into the bucket and sets its revision.
func (t *Tokens) store(ctx context.Context, token *held) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	value, err := json.Marshal(record{
		Role: token.Role, Hash: base64.RawURLEncoding.EncodeToString(token.hash[:]),
		CreatedAt: token.CreatedAt, CreatedBy: token.CreatedBy,
	})
	if err != nil {
		return fmt.Errorf("encoding token: %w", err)
	}
	bucket, err := t.bucket.open(ctx)
	if err == nil {
		token.revision, err = bucket.Create(ctx, keyOf(token.Name), value)
	}
	switch {
	case err == nil:
		return nil
	case taken(err):
		return ErrExists
	default:
		return broker.Unavailable("creating token", err)
	}
}

// taken reports whether a key was there, or came at the same time. On a
// stream with replicas the second has a code of its own.
func taken(err error) bool {
	var refused *jetstream.APIError
	return errors.Is(err, jetstream.ErrKeyExists) ||
		errors.As(err, &refused) && refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant
}

// erase removes a token from the bucket, the very one that it finds there, and
// returns a revision above that token's, and of no later one.
func (t *Tokens) erase(ctx context.Context, name string) (revision uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	bucket, err := t.bucket.open(ctx)
	if err != nil {
		return 0, broker.Unavailable("revoking token", err)
	}
	entry, err := bucket.Get(ctx, keyOf(name))
	if err == nil {
		err = bucket.Delete(ctx, keyOf(name), jetstream.LastRevision(entry.Revision()))
	}
	switch {
	case err == nil:
		return entry.Revision() + 1, nil
	case errors.Is(err, jetstream.ErrKeyNotFound), errors.Is(err, jetstream.ErrKeyRevisionMismatch):
		return 0, ErrNoToken
	default:
		return 0, broker.Unavailable("revoking token", err)
	}
}

// decode reads an entry of the bucket. One that is no token of ours counts as
// revoked, and err says why.
func decode(entry jetstream.KeyValueEntry) (token held, err error) {
	gone := held{Token: Token{Name: nameOf(entry.Key())}, revision: entry.Revision(), revoked: true}
	if entry.Operation() != jetstream.KeyValuePut {
		return gone, nil
	}
	var r record
	if err := json.Unmarshal(entry.Value(), &r); err != nil {
		return gone, fmt.Errorf("decoding token: %w", err)
	}
	hash, err := base64.RawURLEncoding.DecodeString(r.Hash)
	switch {
	case err != nil || len(hash) != sha256.Size:
		return gone, errors.New("decoding token: its hash is none")
	case checkName(gone.Name) != nil:
		return gone, ErrName
	case !r.Role.known():
		return gone, ErrRole
	}
	return held{
		Token: Token{Name: gone.Name, Role: r.Role, CreatedAt: r.CreatedAt, CreatedBy: r.CreatedBy},
		hash:  [sha256.Size]byte(hash), revision: gone.revision,
	}, nil
}
