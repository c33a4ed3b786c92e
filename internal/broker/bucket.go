package broker

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// OpenBucket returns a key-value bucket, which it makes if there is none: in
// files, with three replicas on a cluster. Of the configuration Bucket,
// Description, TTL and LimitMarkerTTL count.
//
// Answers come from the leader alone (no AllowDirect): what one process has
// written, the next one reads. Revisions continue above those of a bucket that
// was lost ([FirstSequence]): a process that still holds one of those changes
// nothing in the new bucket.
func OpenBucket(ctx context.Context, js jetstream.JetStream, c jetstream.KeyValueConfig) (jetstream.KeyValue, error) {
	kv, err := js.KeyValue(ctx, c.Bucket)
	if !errors.Is(err, jetstream.ErrBucketNotFound) {
		return kv, err
	}
	_, err = js.CreateStream(ctx, bucketStream(c, Replicas(js), FirstSequence(time.Now())))
	if err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return nil, err
	}
	return js.KeyValue(ctx, c.Bucket)
}

// bucketStream is the stream of a bucket (NATS, ADR-8, ADR-43).
func bucketStream(c jetstream.KeyValueConfig, replicas int, first uint64) jetstream.StreamConfig {
	config := jetstream.StreamConfig{
		Name: "KV_" + c.Bucket, Description: c.Description, Subjects: []string{"$KV." + c.Bucket + ".>"},
		MaxMsgsPerSubject: 1, MaxAge: c.TTL, Discard: jetstream.DiscardNew, Storage: jetstream.FileStorage, Replicas: replicas,
		AllowRollup: true, DenyDelete: true, FirstSeq: first,
	}
	if c.LimitMarkerTTL > 0 {
		config.AllowMsgTTL, config.SubjectDeleteMarkerTTL = true, c.LimitMarkerTTL
	}
	return config
}
