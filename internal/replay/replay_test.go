package replay_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/replay"
)

func TestReplayOfExactlyOneGroup(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(w.jobs.Run)
	w.work(always(http.StatusNoContent))
	const failed, others = 450, 50
	for n := range failed {
		w.fail(pushLetter(n))
	}
	for n := range others {
		w.fail(requestLetter(n))
	}
	plan := w.plan(replay.KindReplay, replay.Query{Filter: &deadletters.Filter{Code: "http_500"}}, false)
	if plan.Eligible != failed || len(plan.Ineligible) > 0 || string(plan.Query) != `{"filter":{"code":"http_500"}}` {
		t.Errorf("plan %+v of %s", plan, plan.Query)
	}
	w.fail(pushLetter(failed)) // comes too late to be meant
	job := w.finished(w.start(plan).ID)
	if job.State != jobs.Done || !cmp.Equal(job.Counts, map[string]int{"replayed": failed, "delivered": failed}) {
		t.Errorf("job %+v", job)
	}
	tasks := map[string]int{}
	for _, msg := range w.broker.Messages(messages.StreamTasks) {
		task, err := messages.DecodeDelivery(msg.Data)
		if err != nil {
			t.Fatal(err)
		}
		tasks[task.ID]++
		by := task.History.Replayed
		if len(by) != 1 || by[0].By != "bob" || by[0].Reason != "the provider is back" || by[0].Job != job.ID {
			t.Fatalf("replayed by %+v", by)
		}
	}
	for n := range failed {
		if id := pushLetter(n).ID; tasks[id] != 1 {
			t.Errorf("letter %d was replayed %d times", n, tasks[id])
		}
	}
	if len(tasks) != failed || w.stream(messages.StreamFailed) != others+1 {
		t.Errorf("%d tasks, and %d letters left", len(tasks), w.stream(messages.StreamFailed))
	}
	if err := w.letters.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := w.letters.Count(t.Context(), deadletters.Filter{}); n != others+1 || err != nil {
		t.Errorf("the projection has %d letters, error %v", n, err)
	}
}

func TestReplayByIDs(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.fail(pushLetter(1), pushLetter(2), pushLetter(3))
	ids := []string{pushLetter(3).ID, "none", pushLetter(1).ID, "none", pushLetter(1).ID, "neither"}
	plan := w.plan(replay.KindReplay, replay.Query{IDs: ids}, false)
	if plan.Eligible != 2 || !cmp.Equal(plan.Ineligible, map[string]int{"missing": 2}) {
		t.Errorf("plan %+v", plan)
	}
	// What was given for an id and is none may be a credential.
	want := fmt.Sprintf(`{"ids":[%q,%q],"ids_total":6}`, pushLetter(1).ID, pushLetter(3).ID)
	if diff := cmp.Diff(want, string(plan.Query)); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
}

func TestManyIDsAreShownInPart(t *testing.T) {
	t.Parallel()
	w := start(t)
	var ids []string
	var failed []messages.DeadLetter
	for n := range 120 {
		failed = append(failed, pushLetter(n))
		ids = append(ids, pushLetter(n).ID)
	}
	w.fail(failed...)
	plan := w.plan(replay.KindReplay, replay.Query{IDs: ids}, false)
	var want string
	for n := range 100 {
		want += fmt.Sprintf(`,%q`, pushLetter(n).ID)
	}
	want = `{"ids":[` + want[1:] + `],"ids_total":120}`
	if diff := cmp.Diff(want, string(plan.Query)); diff != "" || plan.Eligible != 120 {
		t.Errorf("eligible %d, query (-want +got):\n%s", plan.Eligible, diff)
	}
}

func TestDiscard(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(w.jobs.Run)
	often := pushLetter(1)
	often.Replays = 99
	w.fail(often, requestLetter(2))
	w.failUnreadable()
	if err := w.store.Close(); err != nil { // it is not asked
		t.Fatal(err)
	}
	plan := w.plan(replay.KindDiscard, replay.Query{Filter: &deadletters.Filter{}}, false)
	if plan.Eligible != 3 || len(plan.Ineligible) > 0 {
		t.Errorf("plan %+v", plan)
	}
	job := w.finished(w.start(plan).ID)
	if !cmp.Equal(job.Counts, map[string]int{"discarded": 3}) || w.stream(messages.StreamFailed) != 0 {
		t.Errorf("job %+v, %d letters left", job, w.stream(messages.StreamFailed))
	}
	if w.stream(messages.StreamTasks) != 0 || w.stream(messages.StreamRequests) != 0 {
		t.Error("discarded work was put back")
	}
}

func TestLetterThatFailedAnewIsNotTouched(t *testing.T) {
	t.Parallel()
	for kind, outcome := range map[string]string{replay.KindReplay: "replayed", replay.KindDiscard: "discarded"} {
		w := start(t)
		w.fail(pushLetter(1), pushLetter(2))
		plan := w.plan(kind, replay.Query{Filter: &deadletters.Filter{}}, false)
		w.fail(pushLetter(1)) // stands at another place now
		job := w.start(plan)
		w.work(always(http.StatusNoContent))
		w.run(w.jobs.Run)
		job = w.finished(job.ID)
		want := map[string]int{outcome: 1, "missing": 1}
		if kind == replay.KindReplay {
			want[jobs.CountDelivered] = 1
		}
		if diff := cmp.Diff(want, job.Counts); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
		if left := w.stream(messages.StreamFailed); left != 1 {
			t.Errorf("%s: %d letters left", kind, left)
		}
	}
}

// TestBatchDoneAgain: after a crash the first letters are gone, and were
// replayed for all that.
func TestBatchDoneAgain(t *testing.T) {
	t.Parallel()
	for kind, outcome := range map[string]string{replay.KindReplay: "replayed", replay.KindDiscard: "discarded"} {
		w := start(t)
		w.fail(pushLetter(1), pushLetter(2))
		w.failUnreadable()
		seqs := []jobs.Item{jobs.Item("1 a"), jobs.Item("2 b")}
		work := w.Works()[kind]
		for _, c := range []struct {
			again bool
			items []jobs.Item
			want  map[string]int
		}{
			{false, seqs[:1], map[string]int{outcome: 1}},
			{true, seqs, map[string]int{outcome: 2}},
			{false, seqs, map[string]int{"missing": 2}},
		} {
			got, err := work.Do(t.Context(), jobs.Job{Again: c.again}, c.items)
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%s, again %t: error %v (-want +got):\n%s", kind, c.again, err, diff)
			}
		}
		if kind == replay.KindReplay {
			got, err := work.Do(t.Context(), jobs.Job{Again: true}, []jobs.Item{jobs.Item("3 c")})
			if !cmp.Equal(got, map[string]int{"unreadable": 1}) || err != nil {
				t.Errorf("unreadable: %v, error %v", got, err)
			}
		}
	}
}

func TestWorkWithoutBroker(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.fail(pushLetter(1))
	w.broker.Stop()
	for kind, work := range w.Works() {
		counts, err := work.Do(t.Context(), jobs.Job{}, []jobs.Item{jobs.Item("1 a")})
		if !errors.Is(err, broker.ErrUnavailable) || counts != nil {
			t.Errorf("%s: counts %v, error %v, want ErrUnavailable", kind, counts, err)
		}
	}
	if _, err := w.Plan(t.Context(), replay.KindReplay, "ann", replay.Query{IDs: []string{"a"}}, false); !errors.Is(err, broker.ErrUnavailable) {
		t.Errorf("dry run: error %v, want ErrUnavailable", err)
	}
}

func TestPlanRefuses(t *testing.T) {
	t.Parallel()
	w := start(t)
	all := replay.Query{Filter: &deadletters.Filter{}}
	for name, c := range map[string]struct {
		kind  string
		query replay.Query
		want  error
	}{
		"nothing selected": {replay.KindReplay, replay.Query{}, replay.ErrQuery},
		"ids and filter":   {replay.KindReplay, replay.Query{IDs: []string{"a"}, Filter: all.Filter}, replay.ErrQuery},
		"other kind":       {"revoke", all, replay.ErrKind},
	} {
		if _, err := w.Plan(t.Context(), c.kind, "ann", c.query, false); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
}

func TestPlanWaitsForTheProjection(t *testing.T) {
	t.Parallel()
	w := start(t)
	behind, err := deadletters.Open(deadletters.Config{JetStream: w.broker.JS, Path: t.TempDir() + "/letters.db"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = behind.Close() }()
	w.fail(pushLetter(1))
	r := replay.New(replay.Config{Letters: behind, Jobs: w.jobs, Store: w.store})
	r.Settle(100 * time.Millisecond)
	query := replay.Query{Filter: &deadletters.Filter{}}
	if _, err := r.Plan(t.Context(), replay.KindReplay, "ann", query, false); !errors.Is(err, replay.ErrNotReady) {
		t.Errorf("error %v, want ErrNotReady", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- behind.Run(ctx) }()
	r.Settle(time.Minute)
	plan, err := r.Plan(t.Context(), replay.KindReplay, "ann", query, false)
	if err != nil || plan.Eligible != 1 {
		t.Errorf("plan %+v, error %v", plan, err)
	}
	cancel()
	<-ended
}
