package replay_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/replay"
)

// replayAll starts a replay of the deliveries of so many users.
func (w *world) replayAll(users int) jobs.Job {
	w.Helper()
	for n := range users {
		w.fail(pushLetter(n))
	}
	w.run(w.jobs.Run)
	return w.start(w.plan(replay.KindReplay, replay.Query{Filter: &deadletters.Filter{}}, false))
}

func pending(job jobs.Job) bool { return job.Counts[jobs.CountPending] > 0 }

// TestReplayTellsWhatBecameOfIt: not that it was handed to the workers.
func TestReplayTellsWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	const users = 40
	for name, c := range map[string]struct {
		answer func(string) int
		want   map[string]int
	}{
		"none fails":       {always(http.StatusNoContent), map[string]int{"replayed": users, "delivered": users}},
		"all fail again":   {always(http.StatusBadRequest), map[string]int{"replayed": users, "failed_again": users}},
		"some are refused": {every(4, http.StatusBadRequest), map[string]int{"replayed": users, "delivered": 30, "failed_again": 10}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.work(c.answer)
			job := w.finished(w.replayAll(users).ID)
			if diff := cmp.Diff(c.want, job.Counts); diff != "" || job.State != jobs.Done || job.Error != "" {
				t.Errorf("job %+v (-want +got):\n%s", job, diff)
			}
			if left := w.stream(messages.StreamFailed); left != c.want["failed_again"] {
				t.Errorf("%d dead letters are left", left)
			}
		})
	}
}

// TestReplayWaitsForTargetThatDoesNotAnswer: it cannot even be connected to.
func TestReplayWaitsForTargetThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.work(always(http.StatusNoContent)).Close()
	job := w.until(w.replayAll(3).ID, pending)
	if diff := cmp.Diff(map[string]int{"replayed": 3, "pending": 3}, job.Counts); diff != "" || job.State != jobs.Running {
		t.Errorf("job %+v (-want +got):\n%s", job, diff)
	}
}

// every answers one push token of n with a status, and the others well.
func every(n, status int) func(string) int {
	return func(token string) int {
		var number int
		for _, digit := range strings.TrimPrefix(token, "push-token-") {
			number = 10*number + int(digit-'0')
		}
		if number%n == 0 {
			return status
		}
		return http.StatusNoContent
	}
}

// TestReplayWaitsForTargetThatIsDown: 500 to all pauses the target. The job waits,
// and ends when the target is back.
func TestReplayWaitsForTargetThatIsDown(t *testing.T) {
	t.Parallel()
	const users = 20
	w := start(t)
	var status atomic.Int64
	status.Store(http.StatusInternalServerError)
	w.work(func(string) int { return int(status.Load()) })
	job := w.until(w.replayAll(users).ID, func(job jobs.Job) bool { return job.Counts[jobs.CountPending] == users })
	if job.State != jobs.Running || job.Position != users || job.Counts[jobs.CountFailedAgain] != 0 {
		t.Errorf("job %+v", job)
	}
	status.Store(http.StatusNoContent)
	job = w.finished(job.ID)
	if diff := cmp.Diff(map[string]int{"replayed": users, "delivered": users}, job.Counts); diff != "" || job.State != jobs.Done {
		t.Errorf("job %+v (-want +got):\n%s", job, diff)
	}
}

// TestReplayMovesToAnotherProcess: what a process knows of a job that waits
// comes from the streams alone.
func TestReplayMovesToAnotherProcess(t *testing.T) {
	t.Parallel()
	const users = 8
	w := start(t)
	for n := range users {
		w.fail(pushLetter(n))
	}
	stop := w.run(w.jobs.Run)
	job := w.start(w.plan(replay.KindReplay, replay.Query{Filter: &deadletters.Filter{}}, false))
	w.until(job.ID, pending) // no worker is there
	stop()
	w.work(every(2, http.StatusBadRequest))
	other := jobs.New(jobs.Config{JetStream: w.broker.JS, Works: w.works, Instance: "other"})
	w.run(other.Run)
	job = w.finished(job.ID)
	if diff := cmp.Diff(map[string]int{"replayed": users, "delivered": 4, "failed_again": 4}, job.Counts); diff != "" {
		t.Errorf("job %+v (-want +got):\n%s", job, diff)
	}
}

// TestReplayOfRequestsCountsRequests: a logout that fails at its target again
// is one letter that failed again, however many deliveries came from it.
func TestReplayOfRequestsCountsRequests(t *testing.T) {
	t.Parallel()
	w := start(t)
	for n := range 2 {
		w.register(n, hourAgo.Add(-2*60*1e9))
		w.fail(requestLetter(n))
	}
	w.work(every(2, http.StatusBadRequest))
	w.run(w.jobs.Run)
	plan := w.plan(replay.KindReplay, replay.Query{Filter: &deadletters.Filter{}}, false)
	job := w.finished(w.start(plan).ID)
	if diff := cmp.Diff(map[string]int{"replayed": 2, "delivered": 1, "failed_again": 1}, job.Counts); diff != "" {
		t.Errorf("job %+v (-want +got):\n%s", job, diff)
	}
}

// TestJobThatWaitsCanBeCancelled: what it did not wait for is not known.
func TestJobThatWaitsCanBeCancelled(t *testing.T) {
	t.Parallel()
	w := start(t)
	job := w.until(w.replayAll(3).ID, pending)
	if _, err := w.jobs.Cancel(t.Context(), job.ID, "ann"); err != nil {
		t.Fatal(err)
	}
	job = w.until(job.ID, func(job jobs.Job) bool { return job.State.Finished() && job.Owner == "" })
	if diff := cmp.Diff(map[string]int{"replayed": 3, "not_known": 3}, job.Counts); diff != "" || job.State != jobs.Cancelled {
		t.Errorf("job %+v (-want +got):\n%s", job, diff)
	}
}

// TestStreamMadeAgain: what became of the letters is lost with it.
func TestStreamMadeAgain(t *testing.T) {
	t.Parallel()
	w := start(t)
	job := w.until(w.replayAll(3).ID, pending)
	stream, err := w.broker.JS.Stream(t.Context(), messages.StreamTasks)
	if err != nil {
		t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	if err := w.broker.JS.DeleteStream(t.Context(), messages.StreamTasks); err != nil {
		t.Fatal(err)
	}
	if _, err := w.broker.JS.CreateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	job = w.finished(job.ID)
	if diff := cmp.Diff(map[string]int{"replayed": 3, "not_known": 3}, job.Counts); diff != "" || !strings.Contains(job.Error, "LOGOUT_TASKS was created again") {
		t.Errorf("job %+v (-want +got):\n%s", job, diff)
	}
}
