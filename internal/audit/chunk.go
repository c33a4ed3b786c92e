package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

// chunkTimeout is how long the broker may take for a chunk.
const chunkTimeout = 5 * time.Second

// placed is an entry with its place on the stream.
type placed struct {
	Entry
	seq   uint64
	taken time.Time // by the broker
}

// readChunk returns the entries in [from, end), oldest first.
func readChunk(ctx context.Context, stream jetstream.Stream, from, end uint64) ([]placed, error) {
	ctx, cancel := context.WithTimeout(ctx, chunkTimeout)
	defer cancel()
	msgs, err := fetch(ctx, stream, from, end)
	if err != nil {
		return nil, broker.Unavailable("reading audit log", err)
	}
	chunk := make([]placed, 0, len(msgs))
	for _, msg := range msgs {
		meta, err := msg.Metadata()
		if err != nil {
			return nil, fmt.Errorf("reading audit log: %w", err)
		}
		if meta.Sequence.Stream < end { // what was removed by hand leaves room for what is behind
			chunk = append(chunk, placed{decode(msg.Data(), meta.Timestamp), meta.Sequence.Stream, meta.Timestamp})
		}
	}
	return chunk, nil
}

// errPartial says that less came than there is.
var errPartial = errors.New("the broker sent only a part")

// fetch returns as many messages from a place on as lie before end, or fewer
// where the stream ends.
func fetch(ctx context.Context, stream jetstream.Stream, from, end uint64) ([]jetstream.Msg, error) {
	consumer, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: chunkTimeout,
	})
	if err != nil {
		return nil, err
	}
	// Where this fails, the threshold ends it.
	defer func() { _ = stream.DeleteConsumer(ctx, consumer.CachedInfo().Name) }()
	wanted := int(min(end-from, consumer.CachedInfo().NumPending))
	if wanted == 0 {
		return nil, nil
	}
	batch, err := consumer.Fetch(wanted, jetstream.FetchContext(ctx))
	if err != nil {
		return nil, err
	}
	msgs := make([]jetstream.Msg, 0, wanted)
	for msg := range batch.Messages() {
		msgs = append(msgs, msg)
	}
	if len(msgs) < wanted {
		return nil, errors.Join(errPartial, batch.Error())
	}
	return msgs, nil
}

// unreadable stands for the action of what is no entry of ours.
const unreadable = "unreadable"

func decode(body []byte, taken time.Time) Entry {
	var e events.Event[messages.OperatorActed]
	if err := json.Unmarshal(body, &e); err != nil || e.Type != messages.TypeOperatorActed {
		return Entry{At: taken.UTC(), Action: unreadable}
	}
	a := e.Data
	return Entry{
		ID: e.ID, At: a.At.Time, By: a.By, Action: a.Action, Reason: a.Reason, JobID: a.JobID,
		Selection: a.Selection, Counts: a.Counts, Address: a.Address,
	}
}
