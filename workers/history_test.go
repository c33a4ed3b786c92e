package workers_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
)

// letter waits for the only dead letter that comes after a place.
func (w *world) letter(after uint64) messages.DeadLetter {
	w.Helper()
	var letter messages.DeadLetter
	w.eventually("dead letter", func() bool {
		letters := w.letters()
		if len(letters) != 1 || letters[0].Seq <= after {
			return false
		}
		letter = letters[0]
		return true
	})
	return letter
}

func (w *world) replay(letter messages.DeadLetter) messages.Replayed {
	w.Helper()
	r := messages.Replayed{At: events.At(time.Now()), By: "ada", Reason: "the provider is back", Job: "j1"}
	w.must(deadletters.NewDeadLetters(w.broker.JS).ReplayAt(w.Context(), letter.Seq, r))
	return r
}

func codes(log []messages.Attempted) (codes []string) {
	for _, a := range log {
		codes = append(codes, a.Code)
	}
	return codes
}

func TestTaskThatFailsAgainComesBackWithItsHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := newProvider(t, always(http.StatusNoContent))
	w.retry.GiveUpAfter = time.Second // a busy machine takes a part of it for the first attempt
	answerOne := func(status int) {
		p.set(func(token string) int {
			if token == "push-one" {
				return status
			}
			return http.StatusNoContent
		})
	}
	answerOne(http.StatusInternalServerError)
	w.run(w.revoker(httpTarget(w)).Run)
	w.runTarget(p)
	request := w.logout("session", w.login("ada", "one"))
	w.must(w.publisher.Requests(t.Context(), request))

	w.withTraffic("dead letter", p, func() bool { return len(w.letters()) == 1 })
	first := w.letter(0)
	deliveries := len(first.History.Log)
	if deliveries < 2 || first.Attempts != deliveries {
		t.Fatalf("%d attempts, %d deliveries are told of:\n%+v", first.Attempts, deliveries, first.History)
	}
	for i, a := range first.History.Log {
		want := messages.Attempted{
			At: a.At, Step: "http", Code: "http_500", Error: "the target answers 500 Internal Server Error",
			Attempts: 1, Delivered: a.Delivered,
		}
		if diff := cmp.Diff(want, a); diff != "" || a.At.Before(request.RequestedAt.Time) || a.At.After(first.FailedAt.Time) {
			t.Errorf("delivery %d at %v:\n%s", i, a.At, diff)
		}
	}
	if at := first.Delivery.RevokedAt; at.Before(request.RequestedAt.Time) || at.After(first.FirstFailedAt.Time) {
		t.Errorf("revoked at %v, requested at %v, failed at %v", at, request.RequestedAt, first.FirstFailedAt)
	}

	answerOne(http.StatusBadRequest)
	replayed := w.replay(first)
	second := w.letter(first.Seq)
	if second.Replays != 1 || second.Attempts != 1 || second.FirstFailedAt.Before(replayed.At.Time) {
		t.Errorf("counters after the replay: %+v", second)
	}
	want := append(codes(first.History.Log), "http_400")
	if diff := cmp.Diff(want, codes(second.History.Log)); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]messages.Replayed{replayed}, second.History.Replayed); diff != "" {
		t.Errorf("replays (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(first.Delivery.RevokedAt, second.Delivery.RevokedAt); diff != "" {
		t.Errorf("revoked at another time:\n%s", diff)
	}

	answerOne(http.StatusNoContent)
	w.replay(second)
	w.eventually("deletion", func() bool { return p.deleted("push-one") == 1 && len(w.letters()) == 0 })
}

func TestRequestThatFailsAgainComesBackWithItsHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.retry.GiveUpAfter = time.Millisecond
	request := w.logout("session", w.login("ada", "one"))
	w.store.refuse(request.ID, errors.New("malformed record"))
	w.must(w.publisher.Requests(t.Context(), request))
	w.run(w.revoker(httpTarget(w)).Run)

	first := w.letter(0)
	w.replay(first)
	second := w.letter(first.Seq)
	if n := len(second.History.Log); n <= len(first.History.Log) || second.Replays != 1 || len(second.History.Replayed) != 1 {
		t.Errorf("history after the replay: %+v", second.History)
	}
	if a := second.History.Log[0]; a.Step != messages.StepRevoke || a.Code != "store_refused" || a.Delivered != 1 {
		t.Errorf("first failure %+v", a)
	}

	w.store.refuse(request.ID, nil)
	w.replay(second)
	w.eventually("public event", func() bool { return len(w.revoked("session")) == 1 })
	task, err := messages.DecodeDelivery(w.broker.Messages(messages.StreamTasks)[0].Data)
	w.must(err)
	if len(task.History.Replayed) != 2 || len(task.History.Log) != len(second.History.Log) || task.History.Attempts != 0 {
		t.Errorf("the task does not know what is behind it: %+v", task.History)
	}
}

func TestMessageThatCannotBeReadComesBackWithItsHistory(t *testing.T) {
	t.Parallel()
	for _, subject := range []string{messages.SubjectRequests, messages.SubjectTask("http", "http")} {
		t.Run(subject, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.run(w.revoker(httpTarget(w)).Run)
			w.runTarget(newProvider(t, always(http.StatusNoContent)))
			_, err := w.broker.JS.Publish(t.Context(), subject, []byte("{"))
			w.must(err)
			first := w.letter(0)
			replayed := w.replay(first)
			second := w.letter(first.Seq)
			if diff := cmp.Diff([]string{"undecodable", "undecodable"}, codes(second.History.Log)); diff != "" {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]messages.Replayed{replayed}, second.History.Replayed); diff != "" || second.Replays != 1 {
				t.Errorf("%d replays (-want +got):\n%s", second.Replays, diff)
			}
			if first.Attempts != 1 || second.Attempts != 1 {
				t.Errorf("%d and %d attempts, want one each", first.Attempts, second.Attempts)
			}
		})
	}
}
