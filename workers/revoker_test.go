package workers_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

func TestLogoutOfASession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, other := w.login("ada", "one"), w.login("ada", "two")
	request := w.logout("session", id)
	w.must(w.publisher.Requests(t.Context(), request))
	w.run(w.revoker(httpTarget(w)).Run)

	w.eventually("public event", func() bool { return len(w.revoked("session")) == 1 })
	e := w.revoked("session")[0]
	want := events.Revoked{
		Scope: "session", RequestID: request.ID, Dialect: "test", Initiator: "user", UserID: "ada",
		DeviceID: "device of one", SessionIDs: []string{id}, RevokedBefore: request.Cutoff,
		RefreshTokens: 1, PushRegistrations: 1, RequestedAt: request.RequestedAt,
		CompletedAt: e.Data.CompletedAt, DenylistTTLSeconds: e.Data.DenylistTTLSeconds,
	}
	if diff := cmp.Diff(want, e.Data); diff != "" {
		t.Errorf("public event (-want +got):\n%s", diff)
	}
	if ttl := e.Data.DenylistTTLSeconds; ttl < 3500 || ttl > 3600 {
		t.Errorf("denylist TTL is %d s, the session lives for an hour", ttl)
	}
	tasks := w.broker.Messages(messages.StreamTasks)
	if len(tasks) != 1 || tasks[0].Subject != "logout.tasks.http.http" {
		t.Fatalf("%d tasks, want one for the provider http", len(tasks))
	}
	states, err := w.store.Sessions(t.Context(), []string{id, other})
	w.must(err)
	if states[0].Active || !states[1].Active {
		t.Errorf("active: %v and %v, want only the other session", states[0].Active, states[1].Active)
	}
}

func TestLogoutOfAUserSparesTheNewLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old, second := w.login("ada", "one"), w.login("ada", "two")
	request := w.logout("user", old)
	w.eventually("a later millisecond", func() bool { return time.Now().After(request.Cutoff.Add(2 * time.Millisecond)) })
	fresh := w.login("ada", "three") // before any worker runs
	for range 20 {
		w.must(w.publisher.Requests(t.Context(), w.logout("user", old)))
	}
	w.run(w.revoker(httpTarget(w)).Run)
	w.eventually("all requests done", func() bool { return len(w.revoked("user")) > 0 && w.pending() == 0 })
	states, err := w.store.Sessions(t.Context(), []string{old, second, fresh})
	w.must(err)
	if states[0].Active || states[1].Active || !states[2].Active {
		t.Errorf("active: %v, %v, %v; want only the new login", states[0].Active, states[1].Active, states[2].Active)
	}
	if got := w.revoked("user"); len(got) != 1 {
		t.Errorf("%d public events for one request, want 1", len(got))
	}
}

func TestRequestThatIsRepeatedLaterIsToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.login("ada", "one")
	w.run(w.revoker(httpTarget(w)).Run)
	for round := range 3 {
		w.must(w.publisher.Requests(t.Context(), w.logout("session", id)))
		done := float64(round + 1)
		w.eventually("request done", func() bool { return w.metric("logoutd_revocations_total", nil) == done })
	}
	if n := w.metric("logoutd_revocations_total", map[string]string{"outcome": "repeated"}); n != 2 {
		t.Errorf("%v repeated, want 2", n)
	}
	if len(w.revoked("session")) != 1 || len(w.broker.Messages(messages.StreamTasks)) != 1 {
		t.Error("told more than once")
	}
}

func TestSkippedFenceIsDoneByTheWorker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.login("ada", "one")
	cutoff := events.At(time.Now().Add(10 * time.Millisecond))
	w.must(w.publisher.Requests(t.Context(), messages.Request{
		ID: messages.RequestID("user", id), Scope: "user", SessionID: id, Cutoff: cutoff, RequestedAt: cutoff,
	}))
	w.run(w.revoker(httpTarget(w)).Run)
	w.eventually("public event", func() bool { return len(w.revoked("user")) == 1 })
	e := w.revoked("user")[0].Data
	if e.UserID != "ada" || e.RefreshTokens != 1 || e.RevokedBefore.After(cutoff.Time) {
		t.Errorf("event %+v", e)
	}
}

func TestUnknownSession(t *testing.T) {
	t.Parallel()
	request := messages.Request{
		ID: "session-x", Scope: "session", SessionID: store.TokenID("x"), Cutoff: events.At(time.Now()),
	}
	for name, publish := range map[string]bool{"is dropped": false, "is told where sessions are kept elsewhere": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.unknown = publish
			w.must(w.publisher.Requests(t.Context(), request))
			w.run(w.revoker().Run)
			w.eventually("request done", func() bool { return w.metric("logoutd_revocations_total", nil) == 1 })
			want := 0
			if publish {
				want = 1
			}
			got := w.revoked("session")
			if len(got) != want {
				t.Fatalf("%d public events, want %d", len(got), want)
			}
			if publish && got[0].Data.DenylistTTLSeconds != int64(store.DefaultRetention.Seconds()) {
				t.Errorf("denylist TTL is %d s, although nobody knows the session's expiry", got[0].Data.DenylistTTLSeconds)
			}
		})
	}
}

func TestStoreThatIsDownBurnsNoAttempts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.retry.GiveUpAfter = time.Millisecond // a single counted failure would make a dead letter
	w.store.set(true)
	id := w.login("ada", "one")
	w.must(w.publisher.Requests(t.Context(), w.logout("session", id)))
	w.run(w.revoker(httpTarget(w)).Run)
	w.eventually("pause", func() bool { return w.metric("logoutd_paused", nil) == 1 && w.store.revokes() >= 2 })
	w.store.set(false)
	w.eventually("public event", func() bool { return len(w.revoked("session")) == 1 })
	w.eventually("end of the pause", func() bool { return w.metric("logoutd_paused", nil) == 0 })
	if n := w.metric("logoutd_pauses_total", nil); n != 1 {
		t.Errorf("%v pauses, want 1", n)
	}
	if letters := w.letters(); len(letters) != 0 {
		t.Errorf("dead letters: %+v", letters)
	}
}

func TestRequestThatFailsByItselfIsRetriedThenGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bad, good := w.login("ada", "one"), w.login("bob", "two")
	request := w.logout("session", bad)
	w.store.refuse(request.ID, errors.New("malformed record"))
	w.must(w.publisher.Requests(t.Context(), request, w.logout("session", good)))
	w.run(w.revoker(httpTarget(w)).Run)

	w.eventually("neighbour done", func() bool { return len(w.revoked("session")) == 1 })
	w.eventually("dead letter", func() bool { return len(w.letters()) == 1 })
	letter := w.letters()[0]
	if letter.ID != request.ID || letter.Step != "revoke" || letter.Code != "store_refused" || letter.Error != "malformed record" ||
		letter.Attempts < 3 || letter.Request.UserID != "ada" || !letter.FirstFailedAt.Before(letter.LastFailedAt.Time) {
		t.Errorf("dead letter %+v", letter)
	}
	w.eventually("announcement", func() bool { return len(public[events.Failed](w, "logout.events.revocation.failed")) == 1 })

	w.store.refuse("", nil)
	w.must(deadletters.NewDeadLetters(w.broker.JS).Replay(t.Context(), letter.ID))
	w.eventually("replay done", func() bool { return len(w.revoked("session")) == 2 })
	if letters := w.letters(); len(letters) != 0 {
		t.Errorf("after the replay: %+v", letters)
	}
}

func TestPauseIsNoWaitOfTheRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.retry.GiveUpAfter = 400 * time.Millisecond // less than the first pause
	request := w.logout("session", w.login("ada", "one"))
	w.store.refuse(request.ID, errors.New("malformed record"))
	w.store.set(true)
	w.must(w.publisher.Requests(t.Context(), request))
	w.run(w.revoker(httpTarget(w)).Run)
	w.eventually("pause", func() bool { return w.store.revokes() > 0 })
	w.store.set(false)
	w.eventually("dead letter", func() bool { return len(w.letters()) == 1 })
	if letter := w.letters()[0]; letter.Attempts < 2 {
		t.Errorf("given up after %d attempt: the pause counted", letter.Attempts)
	}
}

func TestMessageThatCannotBeReadBecomesADeadLetterAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.broker.JS.Publish(t.Context(), messages.SubjectRequests, []byte("{not json"))
	w.must(err)
	w.run(w.revoker().Run)
	w.eventually("dead letter", func() bool { return len(w.letters()) == 1 })
	letter := w.letters()[0]
	if letter.Step != "decode" || letter.Code != "undecodable" || string(letter.Message) != "{not json" {
		t.Errorf("dead letter %+v", letter)
	}
}

// A dead letter that fits into no message would hold up all that comes behind.
func TestLongMessageThatCannotBeReadHoldsUpNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := fmt.Sprintf(`[{"specversion":"1.0","id":"x","type":%q}]`, strings.Repeat("x", 900_000))
	_, err := w.broker.JS.Publish(t.Context(), messages.SubjectRequests, []byte(long))
	w.must(err)
	w.must(w.publisher.Requests(t.Context(), w.logout("session", w.login("ada", "one"))))
	w.run(w.revoker().Run)
	w.eventually("the request behind it done", func() bool { return len(w.revoked("session")) == 1 })
	w.eventually("dead letter", func() bool { return len(w.letters()) == 1 })
	if letter := w.letters()[0]; letter.Code != "undecodable" || len(letter.Error) > 2000 {
		t.Errorf("dead letter with code %q and %d bytes of error", letter.Code, len(letter.Error))
	}
}

// crash takes the messages that wait for the revoker and hands them back
// without working on them, as often as a process that dies each time would.
func (w *world) crash(times, n int) {
	w.Helper()
	consumer, err := w.broker.JS.CreateOrUpdateConsumer(w.Context(), messages.StreamRequests, jetstream.ConsumerConfig{
		Durable: messages.ConsumerRevoker, FilterSubjects: []string{messages.SubjectRequests, messages.SubjectUnfenced}, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: 10 * time.Second, MaxDeliver: -1, MaxAckPending: 100_000,
	})
	w.must(err)
	for range times {
		batch, err := consumer.Fetch(n)
		w.must(err)
		for msg := range batch.Messages() {
			w.must(msg.Nak())
		}
	}
}

func TestBatchThatMayCrashTheProcessIsSplit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var requests []messages.Request
	for i := range 8 {
		id := w.login("ada", fmt.Sprint("session ", i))
		requests = append(requests, w.logout("session", id))
	}
	w.must(w.publisher.Split(t.Context(), requests)) // as one message
	w.crash(1, 1)
	w.run(w.revoker(httpTarget(w)).Run)
	w.eventually("all done", func() bool { return len(w.revoked("session")) == 8 })
	var sizes []int
	for _, msg := range w.broker.Messages(messages.StreamRequests) {
		batch, err := messages.DecodeRequests(msg.Data)
		w.must(err)
		sizes = append(sizes, len(batch))
	}
	if diff := cmp.Diff([]int{8, 4, 4}, sizes); diff != "" {
		t.Errorf("sizes of the messages (-want +got):\n%s", diff)
	}
}

// TestCandidatesAreRevoked: of a logout that presented a thousand sessions
// while the fence was skipped, those that there are end; also where a worker
// crashed with it in its hands.
func TestCandidatesAreRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	entry := w.logout("session", w.login("ada", "one"))
	entry.Candidates = []string{entry.SessionID}
	for i := range 1000 {
		entry.Candidates = append(entry.Candidates, store.TokenID(fmt.Sprint("nobody ", i)))
	}
	entry.Candidates = append(entry.Candidates, w.login("bob", "two"))
	entry.ID, entry.SessionID, entry.UserID, entry.Fenced = messages.NewID(), "", "", false
	entry.AuthenticatedAt = events.Time{}
	w.must(w.publisher.Requests(t.Context(), entry))
	w.crash(1, 1)
	w.run(w.revoker(httpTarget(w)).Run)
	w.eventually("both are done", func() bool { return len(w.revoked("session")) == 2 })
}

func TestRequestThatCrashesTheProcessBecomesADeadLetter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	request := w.logout("session", w.login("ada", "one"))
	w.must(w.publisher.Requests(t.Context(), request))
	w.crash(5, 1)
	w.run(w.revoker(httpTarget(w)).Run)
	w.eventually("dead letter", func() bool { return len(w.letters()) == 1 })
	if letter := w.letters()[0]; letter.Code != "crashed" || letter.Step != "revoke" || letter.Request.ID != request.ID {
		t.Errorf("dead letter %+v", letter)
	}
}

// They were delivered together, and only the first was ever worked on.
func TestRequestBehindTheOneThatCrashesTheProcessIsDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	crashing, behind := w.logout("session", w.login("ada", "one")), w.logout("session", w.login("bob", "two"))
	w.must(w.publisher.Split(t.Context(), []messages.Request{crashing}, []messages.Request{behind}))
	w.crash(5, 2)
	w.run(w.revoker(httpTarget(w)).Run)
	w.eventually("dead letter", func() bool { return len(w.letters()) > 0 })
	w.eventually("both settled", func() bool { return w.pending() == 0 })
	if got := w.revoked("session"); len(got) != 1 || got[0].Data.RequestID != behind.ID {
		t.Errorf("public events %+v, want that of the request behind", got)
	}
	if letters := w.letters(); len(letters) != 1 || letters[0].ID != crashing.ID {
		t.Errorf("dead letters %+v, want the request that crashes", letters)
	}
}

func TestShutdownIsNoFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.store.set(true)
	w.must(w.publisher.Requests(t.Context(), w.logout("session", w.login("ada", "one"))))
	for range 7 { // more often than a crash is forgiven
		calls := w.store.revokes()
		stop := w.run(w.revoker(httpTarget(w)).Run)
		w.eventually("attempt", func() bool { return w.store.revokes() > calls })
		stop()
	}
	w.store.set(false)
	w.run(w.revoker(httpTarget(w)).Run)
	w.eventually("public event", func() bool { return len(w.revoked("session")) == 1 })
	if letters := w.letters(); len(letters) != 0 {
		t.Errorf("dead letters: %+v", letters)
	}
}

// pending returns how many messages the revoker has not settled.
func (w *world) pending() uint64 {
	w.Helper()
	consumer, err := w.broker.JS.Consumer(context.Background(), messages.StreamRequests, messages.ConsumerRevoker)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return 1
	}
	w.must(err)
	info := consumer.CachedInfo()
	return info.NumPending + uint64(info.NumAckPending)
}

// aheadStore finds that everything it revokes was ahead of its clock.
type aheadStore struct{ store.Store }

func (s aheadStore) Revoke(ctx context.Context, revocations []store.Revocation) ([]store.Revoked, error) {
	results, err := s.Store.Revoke(ctx, revocations)
	for i := range results {
		results[i].Ahead = results[i].Sessions
	}
	return results, err
}

func TestWhatIsAheadOfTheClockIsCountedAndLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.store.Store = aheadStore{w.store.Store}
	id := w.login("ada", "one")
	w.login("ada", "two")
	w.must(w.publisher.Requests(t.Context(), w.logout("user", id)))
	w.run(w.revoker(httpTarget(w)).Run)
	w.eventually("public event", func() bool { return len(w.revoked("user")) == 1 })
	if n := w.metric("logoutd_revoked_ahead_total", nil); n != 2 {
		t.Errorf("%v counted, want 2", n)
	}
	if log := w.log.String(); !strings.Contains(log, "ahead of the store's clock") || !strings.Contains(log, "user_id=ada") {
		t.Errorf("not logged:\n%s", log)
	}
}
