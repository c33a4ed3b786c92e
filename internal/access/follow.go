package access

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/broker"
)

const (
	// renewAfter is how long one watch is relied on. One that has gone silent
	// hides a revocation no longer than that.
	renewAfter = time.Minute
	// retryAfter is how long to wait before asking again what failed.
	retryAfter = time.Second
)

// follow keeps up with the bucket until ctx ends: load gets all entries when
// the following begins and whenever it begins again, changed each entry after
// that. Without the broker what is known goes on.
func (b *bucket) follow(ctx context.Context, logger *slog.Logger, load func(context.Context) (*watch, error), changed func(jetstream.KeyValueEntry)) {
	conn := b.js.Conn()
	connected := conn.StatusChanged(nats.CONNECTED)
	defer conn.RemoveStatusListener(connected)
	for warned := false; ctx.Err() == nil; {
		err := followOnce(ctx, connected, load, changed)
		if err == nil {
			warned = false
			continue
		}
		if !warned && ctx.Err() == nil {
			warned = broker.LogFailure(ctx, logger, b.js, b.description+" cannot be followed; those known go on", "err", err)
		}
		select {
		case <-connected:
		case <-time.After(retryAfter):
		case <-ctx.Done():
		}
	}
}

// errSilent says that a watch has ended by itself, or never began.
var errSilent = errors.New("the broker tells nothing any more")

// followOnce reads all entries, then keeps up with changes: until the
// connection is new, or for renewAfter.
func followOnce(ctx context.Context, connected <-chan nats.Status, load func(context.Context) (*watch, error), changed func(jetstream.KeyValueEntry)) error {
	watch, err := load(ctx)
	if err != nil {
		return err
	}
	defer watch.stop()
	renew := time.NewTimer(renewAfter)
	defer renew.Stop()
	for {
		select {
		case entry, ok := <-watch.changes:
			if !ok {
				return errSilent
			}
			changed(entry)
		case <-connected:
			return nil
		case <-renew.C:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// watch is what comes after all entries were read. It must be stopped.
type watch struct {
	changes <-chan jetstream.KeyValueEntry
	stop    func()
}

// read returns all entries, deleted ones too, and what changes from then on.
func (b *bucket) read(ctx context.Context) ([]jetstream.KeyValueEntry, *watch, error) {
	ctx, cancel := context.WithCancel(ctx)
	overdue := time.AfterFunc(callTimeout, cancel)
	defer overdue.Stop()
	failed := func(err error) ([]jetstream.KeyValueEntry, *watch, error) {
		cancel()
		return nil, nil, broker.Unavailable("reading "+b.description, err)
	}
	kv, err := b.open(ctx)
	if err != nil {
		return failed(err)
	}
	watcher, err := kv.WatchAll(ctx)
	if err != nil {
		return failed(err)
	}
	w := &watch{changes: watcher.Updates(), stop: func() {
		cancel()
		for range watcher.Updates() { // drain it, or the watcher blocks
		}
	}}
	var all []jetstream.KeyValueEntry
	for entry := range watcher.Updates() {
		if entry == nil {
			return all, w, nil
		}
		all = append(all, entry)
	}
	return failed(errSilent)
}

// Run keeps the tokens in memory as they are in the broker until ctx ends, and
// returns nil. Without the broker those known go on.
func (t *Tokens) Run(ctx context.Context) error {
	t.bucket.follow(ctx, t.config.Logger, t.load, t.changed)
	return nil
}

// load replaces the tokens in memory by those in the broker.
func (t *Tokens) load(ctx context.Context) (*watch, error) {
	t.changing.Lock()
	defer t.changing.Unlock()
	all, watch, err := t.read(ctx)
	if err != nil {
		return nil, err
	}
	t.tokens = all
	t.publish()
	t.loaded.Store(true)
	return watch, nil
}

// changed takes a change from the broker over.
func (t *Tokens) changed(entry jetstream.KeyValueEntry) {
	t.changing.Lock()
	defer t.changing.Unlock()
	t.hold(t.decode(entry))
}

func (t *Tokens) decode(entry jetstream.KeyValueEntry) held {
	token, err := decode(entry)
	if err != nil {
		t.config.Logger.Error("admin token cannot be read, and lets nobody in", "token", entry.Key(), "err", err)
	}
	return token
}

// read returns all tokens by name, the revoked ones too, and what changes from
// then on.
func (t *Tokens) read(ctx context.Context) (map[string]held, *watch, error) {
	entries, watch, err := t.bucket.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	all := map[string]held{}
	for _, entry := range entries {
		token := t.decode(entry)
		all[token.Name] = token
	}
	return all, watch, nil
}
