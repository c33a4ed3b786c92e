package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// renewAfter is how long one watch is relied on: it may have gone silent.
	renewAfter = time.Minute
	// retryAfter is how long to wait before asking a broker again that failed.
	retryAfter = 500 * time.Millisecond
)

// errSilent says that a watch ended by itself.
var errSilent = errors.New("the broker tells no changes of jobs any more")

// watcher tells all records, nil after them, and then what changes.
type watcher struct {
	jetstream.KeyWatcher
	cancel context.CancelFunc
}

// stop ends the watch.
func (w watcher) stop() {
	w.cancel()
	for range w.Updates() { // what it holds in its hand would keep it
	}
}

// watch starts to watch all records. It must be stopped.
func (b records) watch(ctx context.Context) (watcher, error) {
	ctx, cancel := context.WithCancel(ctx)
	overdue := time.AfterFunc(callTimeout, cancel)
	defer overdue.Stop()
	kv, err := b.kv(ctx)
	if err != nil {
		cancel()
		return watcher{}, err
	}
	w, err := kv.WatchAll(ctx)
	if err != nil {
		cancel()
		b.forget(kv)
		return watcher{}, err
	}
	return watcher{w, cancel}, nil
}

// follow calls each for every record and every change until ctx ends, through
// every outage of the broker. The same revision may come again.
func (b records) follow(ctx context.Context, each func(record)) {
	conn := b.js.Conn()
	connected := conn.StatusChanged(nats.CONNECTED)
	defer conn.RemoveStatusListener(connected)
	for ctx.Err() == nil {
		w, err := b.watch(ctx)
		if err == nil {
			err = pump(ctx, w, connected, each)
			w.stop()
		}
		if err == nil {
			continue
		}
		select {
		case <-connected:
		case <-time.After(retryAfter):
		case <-ctx.Done():
		}
	}
}

// pump hands on what a watch tells, until the connection is new or for
// renewAfter.
func pump(ctx context.Context, w watcher, connected <-chan nats.Status, each func(record)) error {
	renew := time.NewTimer(renewAfter)
	defer renew.Stop()
	for {
		select {
		case entry, ok := <-w.Updates():
			if !ok {
				return errSilent
			}
			if entry == nil || entry.Operation() != jetstream.KeyValuePut {
				continue
			}
			if r, err := decode(entry); err == nil {
				each(r)
			}
		case <-connected:
			return nil
		case <-renew.C:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}
