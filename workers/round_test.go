package workers_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// watchedStore lets a test step into the calls of the revoker.
type watchedStore struct {
	store.Store
	fence          func(store.Fence) error // of the call
	revoke, finish func(store.Revocation)

	mu    sync.Mutex
	calls []string
}

func (w *world) watch() *watchedStore {
	s := &watchedStore{
		Store: w.store.Store, fence: func(store.Fence) error { return nil },
		revoke: func(store.Revocation) {}, finish: func(store.Revocation) {},
	}
	w.store.Store = s
	return s
}

func (s *watchedStore) called(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, name)
}

func (s *watchedStore) Fence(ctx context.Context, fences []store.Fence) ([]store.Fenced, error) {
	if err := s.fence(fences[0]); errors.Is(err, store.ErrUnavailable) {
		return nil, err
	} else if err != nil {
		return []store.Fenced{{Err: err}}, nil
	}
	return s.Store.Fence(ctx, fences)
}

func (s *watchedStore) Revoke(ctx context.Context, revocations []store.Revocation) ([]store.Revoked, error) {
	s.called("revoke")
	s.revoke(revocations[0])
	return s.Store.Revoke(ctx, revocations)
}

func (s *watchedStore) Finish(ctx context.Context, revocations []store.Revocation) ([]error, error) {
	s.finish(revocations[0])
	s.called("finish")
	return s.Store.Finish(ctx, revocations)
}

// held returns how many messages the revoker works on.
func (w *world) held() int {
	w.Helper()
	consumer, err := w.broker.JS.Consumer(context.Background(), messages.StreamRequests, messages.ConsumerRevoker)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return 0
	}
	w.must(err)
	return consumer.CachedInfo().NumAckPending
}

func (w *world) done() float64 { return w.metric("logoutd_revocations_total", nil) }

func TestRoundsOverlap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.logout("session", w.login("ada", "one")), w.logout("session", w.login("bob", "two"))
	s, finishing, revoking := w.watch(), make(chan struct{}), make(chan struct{})
	s.revoke = func(r store.Revocation) {
		if r.RequestID == two.ID {
			close(revoking)
		}
	}
	s.finish = func(r store.Revocation) {
		if r.RequestID == one.ID {
			close(finishing)
			select {
			case <-revoking:
			case <-t.Context().Done():
			}
		}
	}
	w.run(w.revoker(httpTarget(w)).Run)
	w.must(w.publisher.Requests(t.Context(), one))
	<-finishing
	w.must(w.publisher.Requests(t.Context(), two))
	w.eventually("the second begins before the first ends", func() bool { return w.done() == 2 })
}

// A user with very many sessions holds up nobody else's revocation, nor does
// the next such user.
func TestLongRoundsHoldUpNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, begun, let := w.watch(), make(chan struct{}, 2), make(chan struct{})
	s.revoke = func(r store.Revocation) {
		if strings.HasPrefix(r.User.ID, "giant") {
			begun <- struct{}{}
			select {
			case <-let:
			case <-t.Context().Done():
			}
		}
	}
	w.run(w.revoker(httpTarget(w)).Run)
	others := 0.0
	for _, name := range []string{"giant", "one", "two", "giantess", "three", "four"} {
		w.must(w.publisher.Requests(t.Context(), w.logout("session", w.login(name, name))))
		if strings.HasPrefix(name, "giant") {
			<-begun
			continue
		}
		others++
		w.eventually(name+" is done", func() bool { return w.done() == others })
	}
	close(let)
	w.eventually("all done", func() bool { return w.done() == 6 })
}

func TestRequestOfTwoRoundsIsToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	request := w.logout("session", w.login("ada", "one"))
	s, finishing, pulled := w.watch(), make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.finish = func(store.Revocation) {
		once.Do(func() { close(finishing) })
		select {
		case <-pulled:
		case <-t.Context().Done():
		}
	}
	w.run(w.revoker(httpTarget(w)).Run)
	w.must(w.publisher.Requests(t.Context(), request))
	<-finishing
	w.must(w.publisher.Requests(t.Context(), request))
	w.eventually("the repetition is pulled", func() bool { return w.held() == 2 })
	close(pulled)
	w.eventually("both done", func() bool { return w.done() == 2 })
	if diff := cmp.Diff([]string{"revoke", "finish", "revoke", "finish"}, s.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if len(w.revoked("session")) != 1 || len(w.broker.Messages(messages.StreamTasks)) != 1 {
		t.Error("told more than once")
	}
}

func TestRoundsThatWaitTogetherAreOnePause(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.logout("session", w.login("ada", "one")), w.logout("session", w.login("bob", "two"))
	w.store.set(true)
	w.run(w.revoker(httpTarget(w)).Run)
	for i, request := range []messages.Request{one, two} {
		w.must(w.publisher.Requests(t.Context(), request))
		w.eventually("held", func() bool { return w.held() == i+1 })
		calls := w.store.revokes()
		w.eventually("attempts", func() bool { return w.store.revokes() > calls+1 })
	}
	w.store.set(false)
	w.eventually("both done", func() bool { return w.done() == 2 })
	w.eventually("end of the pause", func() bool { return w.metric("logoutd_paused", nil) == 0 })
	if n := w.metric("logoutd_pauses_total", nil); n != 1 {
		t.Errorf("%v pauses, want 1", n)
	}
}

func TestFenceIsWrittenDownBeforeADeadLetter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.retry.GiveUpAfter = time.Millisecond
	request := w.logout("session", w.login("ada", "one"))
	w.store.refuse(request.ID, errors.New("malformed record"))
	s := w.watch()
	var fences []store.Fence
	s.fence = func(f store.Fence) error {
		fences = append(fences, f)
		if letters := w.letters(); len(letters) != 0 {
			t.Errorf("%d dead letters before the fence", len(letters))
		}
		if len(fences) == 1 {
			return store.ErrUnavailable // and waited for
		}
		return nil
	}
	w.must(w.publisher.Requests(t.Context(), request))
	stop := w.run(w.revoker(httpTarget(w)).Run)
	w.eventually("dead letter", func() bool { return len(w.letters()) == 1 })
	stop()
	want := store.Fence{RequestID: request.ID, SessionID: request.SessionID, At: request.Cutoff.Time, Durable: true}
	if diff := cmp.Diff([]store.Fence{want, want}, fences); diff != "" {
		t.Errorf("fences (-want +got):\n%s", diff)
	}
}

func TestFenceThatFailsByItselfHoldsNoDeadLetterUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.retry.GiveUpAfter = time.Millisecond
	request := w.logout("session", w.login("ada", "one"))
	w.store.refuse(request.ID, errors.New("malformed record"))
	w.watch().fence = func(store.Fence) error { return errors.New("malformed fence") }
	w.must(w.publisher.Requests(t.Context(), request))
	w.run(w.revoker(httpTarget(w)).Run)
	w.eventually("dead letter", func() bool { return len(w.letters()) == 1 })
	if !w.log.Contains("malformed fence") {
		t.Errorf("the log does not tell of it:\n%s", w.log)
	}
}

// It was fenced in deliveries of its own, which crashed as well.
func TestFenceThatMayCrashTheProcessIsLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	request := w.logout("session", w.login("ada", "one"))
	w.must(w.publisher.Requests(t.Context(), request))
	w.watch().fence = func(store.Fence) error { t.Error("fenced"); return nil }
	w.crash(8, 1)
	w.run(w.revoker(httpTarget(w)).Run)
	w.eventually("dead letter", func() bool { return len(w.letters()) == 1 })
}

func request(id string) messages.Request {
	now := events.At(time.Now())
	return messages.Request{
		ID: id, Dialect: "test", Scope: "session", SessionID: store.TokenID(id), Cutoff: now, RequestedAt: now,
	}
}

func TestFullMessagesAreManyRequestsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.watch()
	var sizes []int
	var total int
	for range 6 {
		var requests []messages.Request
		for range messages.MaxBatch {
			requests = append(requests, request(fmt.Sprint("request-", total)))
			requests[len(requests)-1].UserID, requests[len(requests)-1].Fenced = fmt.Sprint("user-", total), true
			total++
		}
		w.must(w.publisher.Split(t.Context(), requests))
	}
	w.store.Store = countingStore{s, func(n int) { sizes = append(sizes, n) }}
	stop := w.run(w.revoker(httpTarget(w)).Run)
	w.eventually("all done", func() bool { return w.done() == float64(total) })
	stop()
	if diff := cmp.Diff([]int{3 * messages.MaxBatch, 3 * messages.MaxBatch}, sizes); diff != "" {
		t.Errorf("requests that shared a call (-want +got):\n%s", diff)
	}
	if n := len(w.revoked("session")); n != total {
		t.Errorf("%d public events, want %d", n, total)
	}
}

// countingStore tells how many requests share a call.
type countingStore struct {
	*watchedStore
	count func(int)
}

func (s countingStore) Revoke(ctx context.Context, revocations []store.Revocation) ([]store.Revoked, error) {
	s.count(len(revocations))
	return s.watchedStore.Revoke(ctx, revocations)
}
