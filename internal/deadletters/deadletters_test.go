package deadletters_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

func TestDeadLettersAreListedInPages(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	dead := deadletters.NewDeadLetters(b.JS)
	if letters, err := dead.List(t.Context(), 0, 10); err != nil || len(letters) != 0 {
		t.Errorf("of none: %v, %v", letters, err)
	}
	for i := range 5 {
		l := testkit.RequestLetter()
		l.ID = fmt.Sprintf("l%d", i)
		testkit.PutDeadLetters(t, b, 1, l)
	}
	var pages []string
	after := uint64(0)
	for {
		letters, err := dead.List(t.Context(), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, l := range letters {
			ids, after = append(ids, l.ID), l.Seq
		}
		pages = append(pages, strings.Join(ids, " "))
		if len(letters) < 2 {
			break
		}
	}
	if diff := cmp.Diff([]string{"l0 l1", "l2 l3", "l4"}, pages); diff != "" {
		t.Error(diff)
	}
}

func TestDeadLetterIsKeptWhole(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	dead := deadletters.NewDeadLetters(b.JS)
	for i, want := range []messages.DeadLetter{testkit.RequestLetter(), testkit.DeliveryLetter()} {
		testkit.PutDeadLetters(t, b, 1, want)
		want.Seq = uint64(i + 1)
		byID, err := dead.Get(t.Context(), want.ID)
		if err != nil {
			t.Fatal(err)
		}
		byPlace, err := dead.GetAt(t.Context(), want.Seq)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, byID) + cmp.Diff(want, byPlace); diff != "" {
			t.Error(diff)
		}
	}
}

// Whoever records a letter need not say its history twice.
func TestHistoryOfALetterIsThatOfItsWork(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	l, want := testkit.RequestLetter(), testkit.RequestLetter().History
	l.Request.History, l.History = l.History, messages.History{}
	testkit.PutDeadLetters(t, b, 1, l)
	if l.Request.History.IsZero() {
		t.Error("the recorded request was changed")
	}
	got, err := deadletters.NewDeadLetters(b.JS).GetAt(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.History) + cmp.Diff(messages.History{}, got.Request.History); diff != "" {
		t.Error(diff)
	}
}

func TestDeadLetterThatFailsAnewReplacesTheOlder(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	l := testkit.RequestLetter()
	testkit.PutDeadLetters(t, b, 1, l, l) // the second is the same failure, told again
	l.Error = "newer"
	testkit.PutDeadLetters(t, b, 2, l)
	letters, err := deadletters.NewDeadLetters(b.JS).List(t.Context(), 0, 10)
	if err != nil || len(letters) != 1 || letters[0].Error != "newer" {
		t.Errorf("letters %+v, %v, want the newer one", letters, err)
	}
	if n := len(b.Messages(events.StreamEvents)); n != 2 {
		t.Errorf("%d announcements, want one a failure", n)
	}
}

func TestReplayHandsWorkBack(t *testing.T) {
	t.Parallel()
	unreadable := messages.DeadLetter{
		ID: "LOGOUT_REQUESTS-7", Step: messages.StepDecode, FailedAt: testkit.Noon, Subject: messages.SubjectRequests, Message: []byte("not {JSON\x00\xff"),
	}
	by := messages.Replayed{At: testkit.Noon, By: "bob", Reason: "again", Job: "j2"}
	request, task := testkit.RequestLetter(), testkit.DeliveryLetter()
	wantRequest, wantTask := *request.Request, *task.Delivery
	wantRequest.History = messages.History{
		Replays: 2, Log: request.History.Log, Dropped: 1, Replayed: append(request.History.Replayed, by),
	}
	wantTask.History = messages.History{Replays: 3, Log: task.History.Log, Replayed: []messages.Replayed{by}}
	for name, tt := range map[string]struct {
		letter messages.DeadLetter
		stream string
		check  func(t *testing.T, msg *jetstream.RawStreamMsg) string
	}{
		"request": {request, messages.StreamRequests, func(t *testing.T, msg *jetstream.RawStreamMsg) string {
			got, err := messages.DecodeRequests(msg.Data)
			return cmp.Diff([]messages.Request{wantRequest}, got) + errorText(err)
		}},
		"task": {task, messages.StreamTasks, func(t *testing.T, msg *jetstream.RawStreamMsg) string {
			got, err := messages.DecodeDelivery(msg.Data)
			return cmp.Diff(wantTask, got) + cmp.Diff("logout.tasks.http.http", msg.Subject) + errorText(err)
		}},
		"unreadable": {unreadable, messages.StreamRequests, func(t *testing.T, msg *jetstream.RawStreamMsg) string {
			past := messages.History{Replays: 1, Replayed: []messages.Replayed{by}}
			return cmp.Diff(unreadable.Message, msg.Data) + cmp.Diff(past, messages.HistoryOf(msg.Header)) +
				cmp.Diff(messages.ContentTypeBatch, msg.Header.Get("content-type"))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := eventstest.Start(t)
			dead := deadletters.NewDeadLetters(b.JS)
			testkit.PutDeadLetters(t, b, 1, tt.letter)
			if err := dead.ReplayAt(t.Context(), 1, by); err != nil {
				t.Fatal(err)
			}
			msgs := b.Messages(tt.stream)
			if len(msgs) != 1 {
				t.Fatalf("%d messages are on %s, want 1", len(msgs), tt.stream)
			}
			if diff := tt.check(t, msgs[0]); diff != "" {
				t.Error(diff)
			}
			for _, err := range []error{dead.ReplayAt(t.Context(), 1, by), dead.Replay(t.Context(), tt.letter.ID)} {
				wantNoDeadLetter(t, err)
			}
		})
	}
}

func wantNoDeadLetter(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, deadletters.ErrNoDeadLetter) {
		t.Errorf("%v, want ErrNoDeadLetter", err)
	}
}

func errorText(err error) string {
	if err != nil {
		return err.Error()
	}
	return ""
}

// Both read the letter before either removes it.
func TestConcurrentReplaysPutWorkOnce(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	l := testkit.RequestLetter()
	testkit.PutDeadLetters(t, b, 1, l)
	var both, ended sync.WaitGroup
	both.Add(2)
	js := &testkit.Interceptor{JetStream: b.JS, OnPublish: func(ctx context.Context, msg *nats.Msg, next testkit.PublishFunc) (*jetstream.PubAck, error) {
		both.Done()
		both.Wait()
		return next(ctx, msg)
	}}
	errs := make([]error, 2)
	for i := range errs {
		ended.Go(func() { errs[i] = deadletters.NewDeadLetters(js).Replay(context.Background(), l.ID) })
	}
	ended.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	if n := len(b.Messages(messages.StreamRequests)); n != 1 {
		t.Errorf("the work is stored %d times, want once", n)
	}
}

func TestReplayKeepsLetterThatFailedAnew(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	l := testkit.RequestLetter()
	testkit.PutDeadLetters(t, b, 1, l)
	js := &testkit.Interceptor{JetStream: b.JS, OnPublish: func(ctx context.Context, msg *nats.Msg, next testkit.PublishFunc) (*jetstream.PubAck, error) {
		ack, err := next(ctx, msg)
		l.Error = "newer"
		testkit.PutDeadLetters(t, b, 2, l) // the worker was quicker than the removal
		return ack, err
	}}
	if err := deadletters.NewDeadLetters(js).Replay(t.Context(), l.ID); err != nil {
		t.Fatal(err)
	}
	got, err := deadletters.NewDeadLetters(b.JS).Get(t.Context(), l.ID)
	if err != nil || got.Error != "newer" {
		t.Errorf("letter %+v, %v, want the newer one", got, err)
	}
}

func TestUnacknowledgedReplayKeepsLetter(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	l := testkit.RequestLetter()
	testkit.PutDeadLetters(t, b, 1, l)
	js := &testkit.Interceptor{JetStream: b.JS, OnPublish: func(context.Context, *nats.Msg, testkit.PublishFunc) (*jetstream.PubAck, error) {
		return nil, context.DeadlineExceeded
	}}
	if err := deadletters.NewDeadLetters(js).Replay(t.Context(), l.ID); !errors.Is(err, broker.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
	if _, err := deadletters.NewDeadLetters(b.JS).Get(t.Context(), l.ID); err != nil {
		t.Errorf("the letter afterwards: %v", err)
	}
}

func TestDiscardRemovesLetterOnly(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	dead := deadletters.NewDeadLetters(b.JS)
	kept, gone := testkit.DeliveryLetter(), testkit.RequestLetter()
	testkit.PutDeadLetters(t, b, 1, gone, kept)
	if err := dead.Discard(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	if err := dead.Discard(t.Context(), gone.ID); !errors.Is(err, deadletters.ErrNoDeadLetter) {
		t.Errorf("a second time: %v, want ErrNoDeadLetter", err)
	}
	if _, err := dead.Get(t.Context(), kept.ID); err != nil {
		t.Errorf("the other letter: %v", err)
	}
	if len(b.Messages(messages.StreamRequests)) != 0 {
		t.Error("the work was handed back")
	}
}

func TestIDsThatAreNoSubjectTokenAreRefused(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	dead := deadletters.NewDeadLetters(b.JS)
	testkit.PutDeadLetters(t, b, 1, testkit.RequestLetter())
	for _, id := range []string{"", "*", ">", "user-*", "a.b", "a b", "a\r\nPUB x", "ü"} {
		_, err := dead.Get(t.Context(), id)
		for _, err := range []error{err, dead.Replay(t.Context(), id), dead.Discard(t.Context(), id)} {
			if !errors.Is(err, deadletters.ErrNoDeadLetter) {
				t.Errorf("id %q: %v, want ErrNoDeadLetter", id, err)
			}
		}
		l := testkit.RequestLetter()
		l.ID = id
		if err := testkit.NewPublisher(t, b.JS).DeadLetter(t.Context(), l, 2); err == nil || errors.Is(err, broker.ErrUnavailable) {
			t.Errorf("recording id %q: %v, want an error for good", id, err)
		}
	}
	if n := len(b.Messages(messages.StreamFailed)); n != 1 {
		t.Errorf("%d letters are left, want 1", n)
	}
}

func TestDeadLettersOfStoppedBroker(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	dead := deadletters.NewDeadLetters(b.JS)
	b.Stop()
	if _, err := dead.List(t.Context(), 0, 1); !errors.Is(err, broker.ErrUnavailable) {
		t.Errorf("listing: %v, want ErrUnavailable", err)
	}
	if err := dead.Replay(t.Context(), "x"); !errors.Is(err, broker.ErrUnavailable) {
		t.Errorf("replaying: %v, want ErrUnavailable", err)
	}
}

func TestLetterThatCannotBeReadDoesNotHideTheOthers(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	if _, err := b.JS.Publish(t.Context(), "logout.failed.revoke.damaged", []byte("{")); err != nil {
		t.Fatal(err)
	}
	testkit.PutDeadLetters(t, b, 1, testkit.RequestLetter())
	dead := deadletters.NewDeadLetters(b.JS)
	letters, err := dead.List(t.Context(), 0, 10)
	if err != nil || len(letters) != 2 || letters[0].ID != "damaged" || letters[0].Code != "unreadable" {
		t.Fatalf("letters %+v, %v; want the damaged one and the other", letters, err)
	}
	if err := dead.Replay(t.Context(), "damaged"); !errors.Is(err, deadletters.ErrUnreadable) {
		t.Errorf("replay: %v, want ErrUnreadable", err)
	}
	if err := dead.Discard(t.Context(), "damaged"); err != nil {
		t.Errorf("discard: %v", err)
	}
}
