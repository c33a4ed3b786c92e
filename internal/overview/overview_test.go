package overview_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/overview"
	"github.com/logoutd/logoutd/store"
)

// TestGroups: the largest groups of dead letters, and how far they are known.
func TestGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const codes = overview.TopGroups + 2
	for i := range codes {
		w.letters(fmt.Sprintf("code_%02d", i), i+1)
	}
	o := w.start(overview.Config{Letters: w.projection()})
	s := eventually(t, o, "groups", func(s overview.Snapshot) bool {
		return s.Projection.Ready && len(s.Groups) == overview.TopGroups && s.Groups[0].Count == codes
	})
	if last := s.Groups[len(s.Groups)-1]; last.Code != "code_02" || last.Count != 3 {
		t.Errorf("the last group is %+v, want the tenth by size", last)
	}
	if want := codes * (codes + 1) / 2; s.Failed != want || s.Projection.Done != uint64(want) {
		t.Errorf("%d dead letters, %d of them in the projection; want %d", s.Failed, s.Projection.Done, want)
	}
}

// TestRunningJobs: a job counts while it runs, wherever that is.
func TestRunningJobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := jobs.New(jobs.Config{JetStream: w.js})
	first := startJob(w, all)
	o := w.start(overview.Config{Jobs: jobs.New(jobs.Config{JetStream: w.js})})
	running := func(n int) {
		t.Helper()
		eventually(t, o, fmt.Sprintf("%d running jobs", n), func(s overview.Snapshot) bool { return s.Jobs == n })
	}
	running(1)
	second := startJob(w, all)
	running(2)
	_, err := all.Pause(t.Context(), first, "ops")
	w.must(err)
	running(1)
	_, err = all.Cancel(t.Context(), second, "ops")
	w.must(err)
	running(0)
	_, err = all.Resume(t.Context(), first, "ops")
	w.must(err)
	running(1)
}

func startJob(w *world, all *jobs.Jobs) (id string) {
	w.Helper()
	items := func(yield func(jobs.Item, error) bool) { yield(jobs.Item("one"), nil) }
	plan, err := all.Prepare(w.Context(), jobs.Draft{Kind: "test", By: "ops", Query: json.RawMessage(`{}`)}, items)
	w.must(err)
	job, err := all.Start(w.Context(), jobs.Start{Token: plan.Token, Kind: "test", By: "ops", Reason: "to count it"})
	w.must(err)
	return job.ID
}

// TestStore: whether it can be used is asked each time.
func TestStore(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t), &pinged{}
	o := w.start(overview.Config{Store: s})
	for _, down := range []bool{false, true, false} {
		s.down.Store(down)
		eventually(t, o, fmt.Sprintf("store down: %t", down), func(s overview.Snapshot) bool { return s.StoreOK != down })
	}
}

// pinged is a store that does nothing else.
type pinged struct {
	store.Store
	down atomic.Bool
}

func (p *pinged) Ping(context.Context) error {
	if p.down.Load() {
		return store.ErrUnavailable
	}
	return nil
}
