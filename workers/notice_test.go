package workers_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

// paused returns what all processes are told to be paused.
func (w *world) paused() []broker.Paused {
	w.Helper()
	paused, err := broker.AllPaused(w.Context(), w.broker.JS)
	w.must(err)
	return paused
}

func TestPauseOfATargetIsToldToAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := newProvider(t, always(http.StatusUnauthorized))
	w.run(w.revoker(httpTarget(w)).Run)
	w.runTarget(p)
	request := w.logout("session", w.login("ada", "one"))
	w.must(w.publisher.Requests(t.Context(), request))
	w.eventually("pause", func() bool { return len(w.paused()) == 1 })
	got := w.paused()[0]
	want := broker.Paused{Step: "http", Target: "http", Since: got.Since, Code: "http_401", Refused: true}
	if diff := cmp.Diff(want, got); diff != "" || got.Since.Before(request.RequestedAt.Time) {
		t.Errorf("paused since %v (-want +got):\n%s", got.Since, diff)
	}
	p.set(always(http.StatusNoContent))
	w.eventually("end of the pause", func() bool { return len(w.paused()) == 0 })
}

func TestPauseOfTheStoreEndsWithTheWorker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.store.set(true)
	w.must(w.publisher.Requests(t.Context(), w.logout("session", w.login("ada", "one"))))
	stop := w.run(w.revoker(httpTarget(w)).Run)
	w.eventually("pause", func() bool { return len(w.paused()) == 1 })
	if got := w.paused()[0]; got.Step != messages.StepRevoke || got.Target != "" || got.Code != "store_unavailable" {
		t.Errorf("paused: %+v", got)
	}
	stop()
	if got := w.paused(); len(got) != 0 {
		t.Errorf("still told: %+v", got)
	}
}
