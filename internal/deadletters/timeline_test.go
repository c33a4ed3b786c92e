package deadletters_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

// after returns noon and some seconds.
func after(seconds int) events.Time { return events.At(noon.Add(time.Duration(seconds) * time.Second)) }

func TestTimelineTellsAll(t *testing.T) {
	t.Parallel()
	r := messages.Request{
		ID: "r", Dialect: "sap-v2", Initiator: messages.InitiatorUser, Scope: "user", Reason: "lost phone",
		UserID: "u", Cutoff: after(1), Fenced: true, RequestedAt: after(0),
	}
	task := testkit.PushDelivery(r, r.Cutoff, testkit.Registration{ID: "p", Provider: "fcm", PushToken: "the-push-token"})
	task.RevokedAt = after(2)
	d := messages.DeadLetter{
		ID: task.ID, Step: "http", Target: "fcm", Code: "timeout", Error: "no answer", Attempts: 3, Replays: 1,
		FirstFailedAt: after(60), LastFailedAt: after(60), FailedAt: after(61), Request: &r, Delivery: &task,
		History: messages.History{
			Log: []messages.Attempted{
				{At: after(10), Step: "http", Code: "http_500", Error: "refused", Attempts: 2, Delivered: 1},
				{At: after(60), Step: "http", Code: "timeout", Error: "no answer", Attempts: 3, Delivered: 1},
			},
			Replayed: []messages.Replayed{{At: after(50), By: "ann", Reason: "mended", Job: "j1"}},
		},
	}
	want := []deadletters.Entry{
		{At: after(0).Time, What: "requested", Detail: "user logout by user, sap-v2: lost phone"},
		{At: after(1).Time, What: "fenced", Detail: "revokes what was authenticated up to 2026-03-01T12:00:01.000Z"},
		{At: after(2).Time, What: "revoked", Detail: "in the store, and published; http fcm was still to be told"},
		{At: after(10).Time, What: "failed attempt", Detail: "refused", Code: "http_500", Attempts: 2},
		{At: after(50).Time, What: "replayed", Detail: "mended, job j1", By: "ann"},
		{At: after(60).Time, What: "failed attempt", Detail: "no answer", Code: "timeout", Attempts: 3},
		{At: after(61).Time, What: "given up", Detail: "no answer", Code: "timeout", Attempts: 3},
	}
	if diff := cmp.Diff(want, deadletters.Timeline(d)); diff != "" {
		t.Error(diff)
	}
}

func TestTimelineOfLittle(t *testing.T) {
	t.Parallel()
	long := messages.History{}
	for i := range 30 {
		long = long.Failed(messages.Attempted{At: after(i), Code: "c", Attempts: 1})
	}
	for name, tt := range map[string]struct {
		letter messages.DeadLetter
		want   []string
	}{
		"unreadable": {messages.DeadLetter{FirstFailedAt: after(0), LastFailedAt: after(0), FailedAt: after(0)}, []string{"failed attempt", "given up"}},
		"without a log": {messages.DeadLetter{FirstFailedAt: after(0), LastFailedAt: after(5), FailedAt: after(5)},
			[]string{"failed attempt", "failed attempt", "given up"}},
		"never fenced": {messages.DeadLetter{FailedAt: after(5), Request: &messages.Request{RequestedAt: after(0), Cutoff: after(0)}},
			[]string{"requested", "given up"}},
		"session that was dead before": {messages.DeadLetter{FailedAt: after(5), Request: &messages.Request{RequestedAt: after(0), Cutoff: after(-100), Fenced: true}},
			[]string{"requested", "fenced", "given up"}},
		"same moment": {messages.DeadLetter{
			FailedAt: after(0), Request: &messages.Request{RequestedAt: after(0), Cutoff: after(0), Fenced: true},
			History: messages.History{Log: []messages.Attempted{{At: after(0)}}, Replayed: []messages.Replayed{{At: after(0)}}},
		}, []string{"requested", "fenced", "failed attempt", "replayed", "given up"}},
		"many": {messages.DeadLetter{FailedAt: after(40), History: long}, []string{
			"failed attempt", "failed attempt", "failed attempt", "failed attempt", "failed attempt", "left out",
			"failed attempt", "failed attempt", "failed attempt", "failed attempt", "failed attempt",
			"failed attempt", "failed attempt", "failed attempt", "failed attempt", "failed attempt",
			"failed attempt", "failed attempt", "failed attempt", "failed attempt", "failed attempt", "given up",
		}},
	} {
		var got []string
		for _, e := range deadletters.Timeline(tt.letter) {
			got = append(got, e.What)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
