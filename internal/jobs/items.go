package jobs

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

// MaxItem is how many bytes an [Item] may have.
const MaxItem = 4 << 10

const (
	// partItems is how many items lie under one key. Even the longest fit into
	// a message of 1 MiB, which is what brokers take unless told otherwise; and
	// any position is found without reading what is before it.
	partItems = 200
	// writers is how many parts are on their way at once.
	writers = 8
)

// errItemsGone fails a job whose items were removed by hand.
var errItemsGone = errors.New("the items of the job are gone")

// items are the sets of plans, in parts of partItems, one item a line.
type items struct{ *bucket }

func partKey(token string, part int) string { return fmt.Sprintf("%s.%d", token, part) }

// write stores the items of a plan and returns how many they are. It holds a
// few parts in memory, never all.
func (b items) write(ctx context.Context, token string, all iter.Seq2[Item, error]) (total int, err error) {
	group, writing := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for part, broken := range parts(all) {
		if err = broken; err != nil || writing.Err() != nil {
			break
		}
		key := partKey(token, total/partItems)
		total += bytes.Count(part, []byte{'\n'})
		group.Go(func() error { return b.put(writing, key, part) })
	}
	return total, cmp.Or(err, group.Wait(), ctx.Err())
}

// parts joins items, partItems at a time.
func parts(all iter.Seq2[Item, error]) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var part []byte
		n := 0
		for item, err := range all {
			if err = check(item, err); err != nil {
				yield(nil, err)
				return
			}
			part = append(append(part, item...), '\n')
			if n++; n < partItems {
				continue
			}
			if !yield(part, nil) {
				return
			}
			part, n = nil, 0
		}
		if n > 0 {
			yield(part, nil)
		}
	}
}

func check(item Item, broken error) error {
	switch {
	case broken != nil:
		return fmt.Errorf("collecting items: %w", broken)
	case len(item) == 0 || len(item) > MaxItem || bytes.IndexByte(item, '\n') >= 0:
		return fmt.Errorf("collecting items: one has %d bytes or a line feed; up to %d bytes in one line can be stored", len(item), MaxItem)
	}
	return nil
}

func (b items) put(ctx context.Context, key string, value []byte) error {
	err := b.do(ctx, func(ctx context.Context, kv jetstream.KeyValue) error {
		_, err := kv.Put(ctx, key, value)
		return err
	})
	if err != nil {
		return broker.Unavailable("storing items", err)
	}
	return nil
}

// read returns the items of a part.
func (b items) read(ctx context.Context, token string, part int) ([]Item, error) {
	var lines []Item
	err := b.do(ctx, func(ctx context.Context, kv jetstream.KeyValue) error {
		entry, err := kv.Get(ctx, partKey(token, part))
		if err != nil {
			return err
		}
		for line := range bytes.Lines(entry.Value()) {
			lines = append(lines, line[:len(line)-1])
		}
		return nil
	})
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return nil, errItemsGone
	case err != nil:
		return nil, broker.Unavailable("reading items", err)
	}
	return lines, nil
}

// remove deletes the items of a plan.
func (b items) remove(ctx context.Context, token string) error {
	err := b.do(ctx, func(ctx context.Context, _ jetstream.KeyValue) error {
		stream, err := b.stream(ctx)
		if err != nil {
			return err
		}
		return stream.Purge(ctx, jetstream.WithPurgeSubject(strings.Join([]string{"$KV", bucketPlans, token, ">"}, ".")))
	})
	if err != nil {
		return broker.Unavailable("removing items", err)
	}
	return nil
}
