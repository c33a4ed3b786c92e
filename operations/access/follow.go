package access

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// renewAfter is how long one watch is relied on. One that has gone silent
	// hides a revocation no longer than that.
	renewAfter = time.Minute
	// retryAfter is how long to wait before asking again what failed.
	retryAfter = time.Second
)

// Run keeps the tokens in memory as they are in the broker until ctx ends, and
// returns nil. Without the broker those known go on.
func (t *Tokens) Run(ctx context.Context) error {
	conn := t.config.JetStream.Conn()
	connected := conn.StatusChanged(nats.CONNECTED)
	defer conn.RemoveStatusListener(connected)
	for warned := false; ctx.Err() == nil; {
		err := t.follow(ctx, connected)
		if err == nil {
			warned = false
			continue
		}
		if !warned && ctx.Err() == nil {
			t.config.Logger.Warn("admin tokens cannot be followed; those known go on", "err", err)
			warned = true
		}
		select {
		case <-connected:
		case <-time.After(retryAfter):
		case <-ctx.Done():
		}
	}
	return nil
}

// errSilent says that a watch has ended by itself, or never began.
var errSilent = errors.New("the broker tells nothing any more")

// follow reads all tokens, then keeps up with changes: until the connection is
// new, or for renewAfter.
func (t *Tokens) follow(ctx context.Context, connected <-chan nats.Status) error {
	watch, err := t.load(ctx)
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
			t.changed(entry)
		case <-connected:
			return nil
		case <-renew.C:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
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

// watch is what comes after all tokens were read. It must be stopped.
type watch struct {
	changes <-chan jetstream.KeyValueEntry
	stop    func()
}

// read returns all tokens by name, the revoked ones too, and what changes from
// then on.
func (t *Tokens) read(ctx context.Context) (map[string]held, *watch, error) {
	ctx, cancel := context.WithCancel(ctx)
	overdue := time.AfterFunc(callTimeout, cancel)
	defer overdue.Stop()
	bucket, err := t.bucket(ctx)
	if err != nil {
		cancel()
		return nil, nil, unavailable("reading tokens", err)
	}
	watcher, err := bucket.WatchAll(ctx)
	if err != nil {
		cancel()
		return nil, nil, unavailable("reading tokens", err)
	}
	w := &watch{changes: watcher.Updates(), stop: func() {
		cancel()
		for range watcher.Updates() { // what it holds in its hand would keep it
		}
	}}
	all := map[string]held{}
	for entry := range watcher.Updates() {
		if entry == nil {
			return all, w, nil
		}
		token := t.decode(entry)
		all[token.Name] = token
	}
	cancel()
	return nil, nil, unavailable("reading tokens", errSilent)
}
