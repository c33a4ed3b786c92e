package workers_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/workers"
	"github.com/logoutd/logoutd/workers/delivery"
)

var errDead = errors.New("the process is dead")

// modelFault is what befalls a worker at one of its calls of the store.
type modelFault int

const (
	faultNone    modelFault = iota
	faultCrash              // the process dies before the call
	faultLost               // the process dies after the call
	faultItems              // each item of the call fails by itself, after it was done
	faultRefused            // each item of the call fails by itself, and is not done
	faultStops              // the store is down, and the process is told to stop
	faultHolds              // the call waits until the schedule lets it go
)

// modelWorker is a revoker that pulls and goes on when the schedule says so.
type modelWorker struct {
	m      *model
	name   string
	cancel context.CancelFunc
	ended  chan struct{}
	idle   chan struct{} // takes one when the worker waits for a grant
	grants chan int
	held   chan struct{} // takes one when a call waits to be let go
	letGo  chan struct{}
	close  sync.Once       // of grants
	over   context.Context // ends when the process dies or is told to stop

	mu      sync.Mutex
	dead    bool
	granted int
	fault   modelFault
	at      int // the call, from 1, at which the fault comes
	calls   int
	msgs    map[*modelMsg]bool
	changed chan struct{} // closed when msgs changes
}

func (m *model) startWorker(name string) *modelWorker {
	ctx, cancel := context.WithCancel(context.Background())
	w := &modelWorker{
		m: m, name: name, over: ctx, cancel: cancel, ended: make(chan struct{}), idle: make(chan struct{}, 1),
		grants: make(chan int, 1), held: make(chan struct{}, 1), letGo: make(chan struct{}),
		msgs: map[*modelMsg]bool{}, changed: make(chan struct{}),
	}
	js := &modelJetStream{modelBroker: m.broker, alive: w.alive, worker: w, onAppend: m.published}
	publisher := broker.NewPublisher(js, nil)
	r := workers.NewRevoker(workers.RevokerConfig{
		JetStream: js, Publisher: publisher, Store: &modelWorkerStore{Store: m.store, w: w},
		Targets: []delivery.Configured{httpTarget(m.t)}, Retry: m.retry, Metrics: m.metrics, Logger: m.logger,
	})
	go func() {
		defer close(w.ended)
		defer publisher.Close()
		_ = r.Run(ctx)
	}()
	<-w.idle
	return w
}

func (w *modelWorker) alive() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return errors.Join(errDead, store.ErrUnavailable)
	}
	return nil
}

// take returns how many messages the worker may pull.
func (w *modelWorker) take() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.granted
	w.granted = 0
	return n
}

// park waits until the schedule grants messages, or the worker ends.
func (w *modelWorker) park() {
	select {
	case w.idle <- struct{}{}:
	default:
	}
	n, ok := <-w.grants
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.granted = n
}

func (w *modelWorker) hold(m *modelMsg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.msgs[m] = true
}

func (w *modelWorker) settled(m *modelMsg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.msgs, m)
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *modelWorker) busy() (n int, changed <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.msgs), w.changed
}

// pull lets an idle worker pull n messages and returns once they are settled,
// or the worker waits at the fault, or is dead.
func (w *modelWorker) pull(n int, fault modelFault, at int) (holds bool) {
	w.mu.Lock()
	w.fault, w.at, w.calls = fault, at, 0
	w.mu.Unlock()
	w.grants <- n
	return w.await(true)
}

// await waits until the worker has nothing left to do. idle: it is about to
// pull.
func (w *modelWorker) await(pulls bool) (holds bool) {
	deadline := time.After(20 * time.Second)
	parked := !pulls
	for {
		n, changed := w.busy()
		if parked && n == 0 {
			return false
		}
		select {
		case <-w.idle:
			parked = true
		case <-changed:
		case <-w.held:
			if !parked {
				<-w.idle
			}
			return true
		case <-w.over.Done():
			return false
		case <-deadline:
			w.m.fail("worker %s stands still with %d messages", w.name, n)
		}
	}
}

// resume lets a held call go and waits for the rest.
func (w *modelWorker) resume(crash bool) {
	w.mu.Lock()
	w.dead = w.dead || crash
	w.mu.Unlock()
	w.letGo <- struct{}{}
	if crash {
		w.bury()
		return
	}
	w.await(false)
}

// bury ends a dead or stopped worker and gives its messages back to the broker.
func (w *modelWorker) bury() {
	w.cancel()
	w.close.Do(func() { close(w.grants) })
	<-w.ended
	w.mu.Lock()
	defer w.mu.Unlock()
	for m := range w.msgs {
		w.m.broker.giveBack(m)
	}
}

func (w *modelWorker) isDead() bool { return w.alive() != nil }

// call is one call of the store; it returns how the call is to go wrong.
func (w *modelWorker) call() modelFault {
	w.mu.Lock()
	if w.dead {
		w.mu.Unlock()
		return faultCrash
	}
	w.calls++
	fault := faultNone
	if w.calls == w.at {
		fault = w.fault
	}
	switch fault {
	case faultCrash:
		w.dead = true
		w.cancel()
	case faultStops:
		w.cancel()
	}
	w.mu.Unlock()
	if fault == faultHolds {
		w.held <- struct{}{}
		<-w.letGo
		if w.isDead() {
			return faultCrash
		}
	}
	return fault
}

func (w *modelWorker) die() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = true
	w.cancel()
}

// modelWorkerStore is the store as a worker reaches it.
type modelWorkerStore struct {
	store.Store
	w *modelWorker
}

// through makes a call with the fault that is due.
func through[T any](w *modelWorker, items int, do func() ([]T, error), failItem func(*T)) ([]T, error) {
	fault := w.call()
	results, err := make([]T, items), error(nil)
	switch fault {
	case faultCrash, faultStops:
		return nil, store.ErrUnavailable
	case faultRefused:
	default:
		results, err = do()
	}
	if fault == faultLost {
		w.die()
		return nil, store.ErrUnavailable
	}
	if (fault == faultItems || fault == faultRefused) && err == nil {
		for i := range results {
			failItem(&results[i])
		}
	}
	return results, err
}

var errItem = errors.New("the item fails")

func (s *modelWorkerStore) Fence(ctx context.Context, fences []store.Fence) ([]store.Fenced, error) {
	return through(s.w, len(fences), func() ([]store.Fenced, error) { return s.Store.Fence(ctx, fences) },
		func(f *store.Fenced) { *f = store.Fenced{Err: errItem} })
}

func (s *modelWorkerStore) Revoke(ctx context.Context, revocations []store.Revocation) ([]store.Revoked, error) {
	return through(s.w, len(revocations), func() ([]store.Revoked, error) {
		results, err := s.Store.Revoke(ctx, revocations)
		if err == nil {
			s.w.m.truth.applied(revocations)
		}
		return results, err
	}, func(r *store.Revoked) { *r = store.Revoked{Err: errItem} })
}

func (s *modelWorkerStore) Finish(ctx context.Context, revocations []store.Revocation) ([]error, error) {
	return through(s.w, len(revocations), func() ([]error, error) { return s.Store.Finish(ctx, revocations) },
		func(e *error) { *e = errItem })
}
