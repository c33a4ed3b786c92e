package redisstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/logoutd/logoutd/store"
)

// Holders goes through all users; see [store.Store]. It looks for their
// indexes, by SCAN on one master after another, and reads those a part at a
// time. One that cannot be read is logged.
func (s *Store) Holders(ctx context.Context, after string, limit int) (store.HolderPage, error) {
	page, err := s.holders(ctx, after, limit)
	if err != nil {
		return store.HolderPage{}, fmt.Errorf("looking for holders: %w", err)
	}
	return page, nil
}

func (s *Store) holders(ctx context.Context, after string, limit int) (page store.HolderPage, err error) {
	w, err := parseWalk(after)
	if err != nil {
		return page, err
	}
	now, err := s.client.Time(ctx).Result()
	if err != nil {
		return page, s.unavailable(err)
	}
	page.At = fromMillis(now.UnixMilli())
	masters, err := s.settle(ctx, &w)
	if err != nil {
		return page, err
	}
	if page.Holders, err = s.step(ctx, masters, &w, limit, page.At); err != nil {
		return page, err
	}
	if w.ended() { // unless something moved at the last moment
		if _, err = s.settle(ctx, &w); err != nil {
			return page, err
		}
	}
	page.Next = w.String()
	return page, nil
}

// walk is where Holders stands, written down in the cursor.
type walk struct {
	Shape   string      `json:"shape"`          // topology of the storage, by name
	Node    string      `json:"node,omitempty"` // the master whose keys come next
	Cursor  uint64      `json:"cursor"`         // of its SCAN
	Scanned bool        `json:"scanned,omitempty"`
	Open    []openIndex `json:"open,omitempty"` // found, and not read to the end
}

// openIndex is an index of a user that is being read.
type openIndex struct {
	Key    string `json:"key"`
	Cursor uint64 `json:"cursor,omitempty"`
}

var errCursor = errors.New("not a cursor that Holders has returned")

func parseWalk(after string) (w walk, err error) {
	if after == "" {
		return walk{}, nil
	}
	if err := json.Unmarshal([]byte(after), &w); err != nil || w.Shape == "" {
		return walk{}, errCursor
	}
	for _, open := range w.Open {
		if _, _, ok := parseIndex(open.Key); !ok {
			return walk{}, errCursor
		}
	}
	return w, nil
}

// ended tells that there is nothing left to read.
func (w walk) ended() bool { return w.Scanned && len(w.Open) == 0 }

// String is the walk as a cursor; empty at the end.
func (w walk) String() string {
	if w.ended() {
		return ""
	}
	b, err := json.Marshal(w)
	if err != nil {
		panic(err) // strings and numbers
	}
	return string(b)
}

// settle begins the walk again where the storage has changed its topology.
func (s *Store) settle(ctx context.Context, w *walk) (topology, error) {
	masters, err := s.topology(ctx)
	if err != nil {
		return nil, err
	}
	if name := masters.name(); name != w.Shape {
		*w = walk{Shape: name}
	}
	return masters, nil
}

// step goes on by a page.
func (s *Store) step(ctx context.Context, masters topology, w *walk, limit int, at time.Time) ([]store.Holder, error) {
	if len(w.Open) == 0 {
		if err := s.find(ctx, masters, w, limit); err != nil {
			return nil, err
		}
	}
	lists, err := s.readOn(ctx, w, limit)
	if err != nil {
		return nil, err
	}
	return s.holding(ctx, lists, at)
}

// find looks for indexes among about limit keys of a master.
func (s *Store) find(ctx context.Context, masters topology, w *walk, limit int) error {
	at, ok := masters.from(w.Node)
	if !ok {
		w.Scanned = true
		return nil
	}
	keys, cursor, err := at.Scan(ctx, w.Cursor, indexPattern, int64(limit)).Result()
	if err != nil {
		return s.unavailable(err)
	}
	for _, key := range keys {
		if _, _, ok := parseIndex(key); ok {
			w.Open = append(w.Open, openIndex{Key: key})
		}
	}
	w.Node, w.Cursor = at.id, cursor
	if cursor == 0 {
		w.Node += "\x00" // the one behind it
	}
	_, more := masters.from(w.Node)
	w.Scanned = !more
	return nil
}
