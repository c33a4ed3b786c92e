package access

import (
	"context"
	"errors"
	"time"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

// settleTimeout is how long a login or a logout waits for the broker. A
// healthy one takes milliseconds; nobody waits longer for one that hangs.
const settleTimeout = time.Second

// settle waits until the broker has a session as it is here, or is down.
func (s *Sessions) settle(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	for s.bucket.js.Conn().IsConnected() {
		s.mu.Lock()
		h, saved := s.all[id], s.saved
		done := h == nil || !h.unsaved
		s.mu.Unlock()
		if done {
			return
		}
		s.ask()
		select {
		case <-saved:
		case <-ctx.Done():
			return
		}
	}
}

// Run keeps memory and broker the same until ctx ends, and returns nil.
func (s *Sessions) Run(ctx context.Context) error {
	var running errgroup.Group
	running.Go(func() error {
		s.bucket.follow(ctx, s.config.Logger, s.load, s.changed)
		return nil
	})
	running.Go(func() error {
		s.save(ctx)
		return nil
	})
	return running.Wait()
}

// save writes what is unsaved, whenever there is something, until ctx ends.
func (s *Sessions) save(ctx context.Context) {
	tick := time.NewTicker(sessionRenewal)
	defer tick.Stop()
	for warned := false; ; {
		var again <-chan time.Time
		switch err := s.saveAll(ctx); {
		case err == nil:
			warned = false
		case ctx.Err() == nil:
			again = time.After(retryAfter)
			if !warned {
				warned = broker.LogFailure(ctx, s.config.Logger, s.bucket.js, "console sessions cannot be written yet; they can be used here", "err", err)
			}
		}
		select {
		case <-s.wake:
		case <-again:
		case <-tick.C:
			s.forgetExpired()
		case <-ctx.Done():
			// Sessions that have just ended must end everywhere.
			_ = s.saveAll(context.WithoutCancel(ctx))
			return
		}
	}
}

// saveAll writes what is unsaved, up to the first failure.
func (s *Sessions) saveAll(ctx context.Context) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		close(s.saved)
		s.saved = make(chan struct{})
	}()
	ids := s.unsaved()
	if len(ids) == 0 {
		return nil
	}
	if !s.bucket.js.Conn().IsConnected() {
		return broker.Unavailable("writing console sessions", errSilent)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	kv, err := s.bucket.open(ctx)
	for i := 0; i < len(ids) && err == nil; i++ {
		err = s.saveOne(ctx, kv, ids[i])
	}
	if err != nil {
		return broker.Unavailable("writing console sessions", err)
	}
	return nil
}

func (s *Sessions) unsaved() (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, h := range s.all {
		if h.unsaved {
			ids = append(ids, id)
		}
	}
	return ids
}

// saveOne writes one session, or that it has ended. A session that the broker
// has no more, or never had under this revision, was ended elsewhere.
func (s *Sessions) saveOne(ctx context.Context, kv jetstream.KeyValue, id string) error {
	s.mu.Lock()
	h := s.all[id]
	if h == nil {
		s.mu.Unlock()
		return nil
	}
	ended, seen, revision := h.ended, h.SeenAt, h.revision
	value, err := h.encode()
	s.mu.Unlock()
	switch {
	case err != nil:
		return err
	case ended:
		if err = kv.Delete(ctx, id); err == nil {
			s.written(id, revision, seen, true)
		}
		return err
	}
	// Revision 0: no entry at all, not even a deleted one.
	revision, err = kv.Update(ctx, id, value, revision)
	if taken(err) || errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return s.reconcile(ctx, kv, id)
	}
	if err == nil {
		s.written(id, revision, seen, false)
	}
	return err
}

// written notes that the broker has what was to be written.
func (s *Sessions) written(id string, revision uint64, seen time.Time, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.all[id]; h != nil {
		h.revision = max(h.revision, revision)
		h.unsaved = h.ended != ended || !ended && !h.SeenAt.Equal(seen)
	}
}

// reconcile takes over what another process has written.
func (s *Sessions) reconcile(ctx context.Context, kv jetstream.KeyValue, id string) error {
	entry, err := kv.Get(ctx, id)
	switch {
	case err == nil:
		s.apply(entry)
		s.ask() // a later use than the one there is written again
	case errors.Is(err, jetstream.ErrKeyNotFound):
		s.mu.Lock()
		defer s.mu.Unlock()
		if h := s.all[id]; h != nil {
			h.ended, h.unsaved = true, false
			h.end()
		}
		return nil
	}
	return err
}

// drop forgets a session that has ended. The caller holds mu.
func (s *Sessions) drop(id string) {
	if h := s.all[id]; h != nil {
		h.ended, h.unsaved = true, false
		h.end()
		delete(s.all, id)
	}
}

// forgetExpired drops what no one can use any more; the bucket forgets it by
// itself.
func (s *Sessions) forgetExpired() {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, h := range s.all {
		if now.Sub(h.CreatedAt) >= SessionAge || !h.ended && h.expired(now) {
			s.drop(id)
		}
	}
}

// load takes over what the broker has. What it does not have, though it was
// written, has ended.
func (s *Sessions) load(ctx context.Context) (*watch, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	entries, watch, err := s.bucket.read(ctx)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, entry := range entries {
		there[entry.Key()] = entry.Operation() == jetstream.KeyValuePut
		s.apply(entry)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, h := range s.all {
		if !there[id] && h.revision > 0 {
			s.drop(id)
		}
	}
	s.loaded.Store(true)
	return watch, nil
}

// changed takes a change over, but not while a session is fetched, which may be
// the one that has just been deleted.
func (s *Sessions) changed(entry jetstream.KeyValueEntry) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.apply(entry)
}

// apply takes an entry of the bucket over. A session that has ended here
// stays so, until the broker tells of its end: nothing older comes after that.
func (s *Sessions) apply(entry jetstream.KeyValueEntry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if entry.Operation() != jetstream.KeyValuePut {
		s.drop(entry.Key())
		return
	}
	s.take(entry)
}

// take takes over a session that was put, and returns it as it is held. The
// caller holds mu.
func (s *Sessions) take(entry jetstream.KeyValueEntry) *heldSession {
	there, err := decodeSession(entry)
	if err != nil {
		s.config.Logger.Error("console session cannot be read, and opens nothing", "err", err)
		return nil
	}
	h := s.all[there.ID]
	switch {
	case h == nil && there.expired(time.Now()):
		return nil
	case h == nil:
		s.all[there.ID] = there
		return there
	case h.ended:
		return h
	}
	h.revision = there.revision
	h.unsaved = h.SeenAt.After(there.SeenAt)
	if !h.unsaved {
		h.SeenAt = there.SeenAt
	}
	return h
}

// fetch asks the broker for a session that is not known here (yet): another
// process may have opened it a moment ago. It returns nil where there is none.
func (s *Sessions) fetch(ctx context.Context, id string) *heldSession {
	if len(id) != sessionIDLength || !s.bucket.js.Conn().IsConnected() || !s.lookups.Allow() {
		return nil
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	kv, err := s.bucket.open(ctx)
	if err != nil {
		return nil
	}
	entry, err := kv.Get(ctx, id)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.take(entry)
}
