package messages_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

func TestHistoryKeepsTheFirstAndTheLastFailures(t *testing.T) {
	t.Parallel()
	var h messages.History
	var earlier []messages.History
	for i := range 30 {
		earlier = append(earlier, h)
		h = h.Failed(messages.Attempted{At: testkit.Noon, Step: "http", Code: fmt.Sprint(i), Attempts: 2, Delivered: 1})
	}
	var codes []string
	for _, a := range h.Log {
		codes = append(codes, a.Code)
	}
	want := strings.Fields("0 1 2 3 4 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29")
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if h.Dropped != 10 || h.Attempts != 60 || h.Code != "29" {
		t.Errorf("history %+v; want 10 dropped of 60 attempts", h)
	}
	if len(earlier[20].Log) != 20 || earlier[20].Log[5].Code != "5" {
		t.Error("an earlier history was changed")
	}
}

func TestErrorsInAHistoryAreCut(t *testing.T) {
	t.Parallel()
	h := messages.History{}.Failed(messages.Attempted{At: testkit.Noon, Error: strings.Repeat("ü", 3000)})
	if want := strings.Repeat("ü", 1000); h.Error != want {
		t.Errorf("the latest error is %d bytes long, want 1,000 characters", len(h.Error))
	}
	if want := strings.Repeat("ü", 200); h.Log[0].Error != want {
		t.Errorf("an error of the log is %d bytes long, want 200 characters", len(h.Log[0].Error))
	}
	if h = (messages.History{}).Failed(messages.Attempted{At: testkit.Noon, Error: "short"}); h.Error != "short" || h.Log[0].Error != "short" {
		t.Errorf("a short error became %q and %q", h.Error, h.Log[0].Error)
	}
}

// A letter that is replayed again and again comes back with its history, which
// does not grow for ever.
func TestLetterThatIsReplayedForEverFitsIntoAMessage(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	dead := deadletters.NewDeadLetters(b.JS)
	long := strings.Repeat("<", 4096) // 6 bytes each in JSON
	l := testkit.DeliveryLetter()
	l.History, l.Replays = messages.History{}, 0
	l.Delivery.Payload, _ = json.Marshal(long)
	for i := range 25 {
		for range 3 {
			l.History = l.History.Failed(messages.Attempted{At: testkit.Noon, Step: "http", Code: "http_500", Error: long, Attempts: 3})
		}
		l.Error, l.Replays = l.History.Error, l.History.Replays
		testkit.PutDeadLetters(t, b, uint64(i+1), l)
		seq := uint64(i + 1)
		if err := dead.ReplayAt(t.Context(), seq, messages.Replayed{At: testkit.Noon, By: fmt.Sprint(i), Reason: long, Job: "j"}); err != nil {
			t.Fatal(err)
		}
		msgs := b.Messages(messages.StreamTasks)
		task, err := messages.DecodeDelivery(msgs[len(msgs)-1].Data)
		if err != nil {
			t.Fatal(err)
		}
		l.Delivery, l.History = &task, task.History
	}
	h := l.History
	if h.Replays != 25 || len(h.Replayed) != 20 || h.Replayed[0].By != "5" || h.Replayed[19].By != "24" {
		t.Errorf("%d replays, of which %d are told; want the last 20 of 25", h.Replays, len(h.Replayed))
	}
	if len(h.Log) != 20 || h.Dropped != 55 || h.Attempts != 0 || h.Error != "" {
		t.Errorf("%d failures are told and %d dropped, %d attempts; want 20, 55, and none since the replay",
			len(h.Log), h.Dropped, h.Attempts)
	}
}

func TestTaskInheritsTheHistoryOfItsRequest(t *testing.T) {
	t.Parallel()
	r := testkit.FullRequest()
	r.History = testkit.RequestLetter().History
	task := testkit.PushDelivery(r, testkit.Noon, testkit.Registration{ID: "p", Provider: "http"})
	want := messages.History{Log: r.History.Log, Dropped: r.History.Dropped, Replayed: r.History.Replayed}
	if diff := cmp.Diff(want, task.History) + cmp.Diff(messages.History{Replays: 1}, task.Request.History); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
