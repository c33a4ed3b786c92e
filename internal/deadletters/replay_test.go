package deadletters_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

var byAda = messages.Replayed{At: testkit.Noon, By: "ada", Reason: "the provider is back", Job: "j1"}

// putMany records as many letters of tasks, and half as many of requests, and
// returns their places.
func putMany(t *testing.T, b *eventstest.Broker, from, n int) []uint64 {
	t.Helper()
	for i := from; i < from+n; i++ {
		l := testkit.DeliveryLetter()
		l.ID = fmt.Sprint("t", i)
		l.Delivery.ID = l.ID
		testkit.PutDeadLetters(t, b, uint64(i), l)
		if i%2 == 0 {
			l = testkit.RequestLetter()
			l.ID = fmt.Sprint("r", i)
			l.Request.ID = l.ID
			testkit.PutDeadLetters(t, b, uint64(i), l)
		}
	}
	var seqs []uint64
	for _, msg := range b.Messages(messages.StreamFailed) {
		seqs = append(seqs, msg.Sequence)
	}
	return seqs
}

// expectReplayed fails unless all work was put back, each once, and no letter
// is left.
func expectReplayed(t *testing.T, b *eventstest.Broker, n int) {
	t.Helper()
	ids := map[string]int{}
	for _, batch := range testkit.StoredRequests(t, b) {
		for _, r := range batch {
			ids[r.ID]++
		}
	}
	for _, msg := range b.Messages(messages.StreamTasks) {
		task, err := messages.DecodeDelivery(msg.Data)
		if err != nil {
			t.Fatal(err)
		}
		ids[task.ID]++
	}
	want := map[string]int{}
	for i := range n {
		want[fmt.Sprint("t", i)] = 1
		if i%2 == 0 {
			want[fmt.Sprint("r", i)] = 1
		}
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("how often each is put back (-want +got):\n%s", diff)
	}
	if left := len(b.Messages(messages.StreamFailed)); left != 0 {
		t.Errorf("%d letters are left", left)
	}
}

// removals subscribes to what is announced.
func removals(t *testing.T, b *eventstest.Broker) func() []uint64 {
	t.Helper()
	sub, err := b.Conn.SubscribeSync(messages.SubjectLettersRemoved)
	if err != nil {
		t.Fatal(err)
	}
	return func() (seqs []uint64) {
		t.Helper()
		msg, err := sub.NextMsg(5 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(msg.Data, &seqs); err != nil {
			t.Fatal(err)
		}
		return seqs
	}
}

func TestReplayAllTellsEachResult(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	removed := removals(t, b)
	testkit.PutDeadLetters(t, b, 1, testkit.RequestLetter(), testkit.DeliveryLetter())
	unknown := testkit.DeliveryLetter()
	unknown.ID, unknown.Delivery.Target = "unknown", ">"
	testkit.PutDeadLetters(t, b, 1, unknown)
	if _, err := b.JS.Publish(t.Context(), "logout.failed.revoke.damaged", []byte("{")); err != nil {
		t.Fatal(err)
	}
	got, err := deadletters.NewDeadLetters(b.JS).ReplayAll(t.Context(), []uint64{99, 4, 3, 2, 1, 0}, byAda)
	if err != nil {
		t.Fatal(err)
	}
	want := []error{deadletters.ErrNoDeadLetter, deadletters.ErrUnreadable, deadletters.ErrUnreadable, nil, nil, deadletters.ErrNoDeadLetter}
	if diff := cmp.Diff(want, got, cmpopts.EquateErrors()); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if requests, tasks := len(b.Messages(messages.StreamRequests)), len(b.Messages(messages.StreamTasks)); requests != 1 || tasks != 1 {
		t.Errorf("%d requests and %d tasks are put back, want one each", requests, tasks)
	}
	if n := len(b.Messages(messages.StreamFailed)); n != 2 {
		t.Errorf("%d letters are left, want those that cannot be read", n)
	}
	if diff := cmp.Diff([]uint64{99, 2, 1, 0}, removed()); diff != "" {
		t.Errorf("announced (-want +got):\n%s", diff)
	}
}

func TestDiscardAllTellsEachResult(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	removed := removals(t, b)
	testkit.PutDeadLetters(t, b, 1, testkit.RequestLetter(), testkit.DeliveryLetter())
	dead := deadletters.NewDeadLetters(b.JS)
	got, err := dead.DiscardAll(t.Context(), []uint64{2, 99, 0})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]error{nil, deadletters.ErrNoDeadLetter, deadletters.ErrNoDeadLetter}, got, cmpopts.EquateErrors()); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]uint64{2, 99, 0}, removed()); diff != "" {
		t.Errorf("announced (-want +got):\n%s", diff)
	}
	if _, err := dead.GetAt(t.Context(), 1); err != nil {
		t.Errorf("the other letter: %v", err)
	}
	for _, err := range []error{dead.DiscardAt(t.Context(), 2), second(dead.GetAt(t.Context(), 2))} {
		if !errors.Is(err, deadletters.ErrNoDeadLetter) {
			t.Errorf("afterwards: %v, want ErrNoDeadLetter", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// The process ends when the work is put back in part, or all of it, and no
// letter is removed. Some time later, on a broker that was started anew, the
// letters are replayed with others beside them.
func TestReplayRepeatedAfterACrashPutsWorkBackOnce(t *testing.T) {
	t.Parallel()
	for _, commits := range []int{1, 2} {
		t.Run(fmt.Sprint(commits), func(t *testing.T) {
			t.Parallel()
			b := eventstest.Start(t)
			seqs := putMany(t, b, 0, 40)
			ctx, crash := context.WithCancel(t.Context())
			js := &testkit.Interceptor{JetStream: b.JS, OnPublish: func(ctx context.Context, msg *nats.Msg, next testkit.PublishFunc) (*jetstream.PubAck, error) {
				if commits--; commits == 0 {
					defer crash()
				}
				return next(ctx, msg)
			}}
			if _, err := deadletters.NewDeadLetters(js).ReplayAll(ctx, seqs, byAda); !errors.Is(err, broker.ErrUnavailable) {
				t.Fatalf("error %v, want ErrUnavailable", err)
			}
			b.Stop()
			b.Restart()
			seqs = putMany(t, b, 40, 10)
			results, err := deadletters.NewDeadLetters(b.JS).ReplayAll(t.Context(), seqs, byAda)
			if err := errors.Join(append(results, err)...); err != nil {
				t.Fatal(err)
			}
			expectReplayed(t, b, 50)
		})
	}
}

func TestReplaysOfTwoOperatorsPutWorkBackOnce(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	seqs := putMany(t, b, 0, 172) // more than one part
	var both, ended sync.WaitGroup
	both.Add(2)
	errs := make([]error, 2)
	for i := range errs {
		ended.Go(func() {
			both.Done()
			both.Wait()
			_, errs[i] = deadletters.NewDeadLetters(b.JS).ReplayAll(t.Context(), seqs, byAda)
		})
	}
	ended.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	expectReplayed(t, b, 172)
}

func TestPlaceOfALetterThatFailedAnewIsGone(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	dead := deadletters.NewDeadLetters(b.JS)
	testkit.PutDeadLetters(t, b, 1, testkit.RequestLetter())
	testkit.PutDeadLetters(t, b, 2, testkit.RequestLetter())
	for _, err := range []error{
		dead.ReplayAt(t.Context(), 1, byAda), dead.DiscardAt(t.Context(), 1), second(dead.GetAt(t.Context(), 1)),
	} {
		if !errors.Is(err, deadletters.ErrNoDeadLetter) {
			t.Errorf("the older place: %v, want ErrNoDeadLetter", err)
		}
	}
	if n := len(b.Messages(messages.StreamRequests)); n != 0 {
		t.Errorf("%d requests are put back", n)
	}
	if _, err := dead.GetAt(t.Context(), 2); err != nil {
		t.Errorf("the newer place: %v", err)
	}
}

func TestLettersOfAStoppedBroker(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	dead := deadletters.NewDeadLetters(b.JS)
	b.Stop()
	for _, err := range []error{
		dead.ReplayAt(t.Context(), 1, byAda), dead.DiscardAt(t.Context(), 1), second(dead.GetAt(t.Context(), 1)),
	} {
		if !errors.Is(err, broker.ErrUnavailable) || errors.Is(err, deadletters.ErrNoDeadLetter) {
			t.Errorf("error %v, want ErrUnavailable", err)
		}
	}
}
