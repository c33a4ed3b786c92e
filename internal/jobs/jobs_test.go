package jobs_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/jobs"
)

func TestJobDoesExactlyItsItems(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 100, 200, 1234} {
		b := newBroker(t)
		p := b.process("one", newWork(nil))
		plan := p.plan(n)
		want := jobs.Plan{Kind: kind, Eligible: n, Query: []byte(`{"all":true}`), By: "ann"}
		if diff := cmp.Diff(want, plan, cmpopts.IgnoreFields(jobs.Plan{}, "Token", "CreatedAt", "ExpiresAt")); diff != "" {
			t.Errorf("plan (-want +got):\n%s", diff)
		}
		if life := plan.ExpiresAt.Sub(plan.CreatedAt); life != jobs.PlanLifetime {
			t.Errorf("the plan can be started for %s", life)
		}
		if _, err := p.Start(t.Context(), start(plan)); err != nil {
			t.Fatal(err)
		}
		job := p.until(plan.Token, func(j jobs.Job) bool { return j.State == jobs.Done && j.Owner == "" })
		expectOnce(t, n, p.work)
		wantJob := jobs.Job{
			ID: plan.Token, Kind: kind, State: jobs.Done, By: "bob", LastActionBy: "bob", Reason: "because",
			Query: []byte(`{"all":true}`), Total: n, Position: n,
		}
		if n > 0 {
			wantJob.Counts = map[string]int{"done": n}
		}
		if diff := cmp.Diff(wantJob, job, cmpopts.IgnoreFields(jobs.Job{}, "PerSecond"), cmpopts.IgnoreTypes(time.Time{})); diff != "" {
			t.Errorf("job (-want +got):\n%s", diff)
		}
		if job.FinishedAt.IsZero() || n > 0 && job.PerSecond <= 0 {
			t.Errorf("finished at %s, %g items a second", job.FinishedAt, job.PerSecond)
		}
	}
}

func TestPlanStartsOnce(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	one, two := b.idle("one", nil), b.idle("two", nil)
	plan := one.plan(3)
	var wait sync.WaitGroup
	outcomes := make(chan error, 16)
	for i := range cap(outcomes) {
		p := []*process{one, two}[i%2]
		wait.Go(func() {
			_, err := p.Start(t.Context(), start(plan))
			outcomes <- err
		})
	}
	wait.Wait()
	close(outcomes)
	started := 0
	for err := range outcomes {
		if err == nil {
			started++
		} else if !errors.Is(err, jobs.ErrStarted{JobID: plan.Token}) {
			t.Errorf("error %v, want ErrStarted with the job's id", err)
		}
	}
	list, err := two.List(t.Context(), 10)
	if started != 1 || len(list) != 1 || err != nil {
		t.Errorf("started %d times, as %d jobs, error %v", started, len(list), err)
	}
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	p := newBroker(t).idle("one", nil)
	plan, expired := p.plan(1), p.plan(1)
	if err := p.Age(t.Context(), expired.Token, jobs.PlanLifetime); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*jobs.Start)
		want   error
	}{
		"no reason":     {func(s *jobs.Start) { s.Reason = " \t" }, jobs.ErrNoReason},
		"negative rate": {func(s *jobs.Start) { s.Rate = -1 }, jobs.ErrRate},
		"other kind":    {func(s *jobs.Start) { s.Kind = "other" }, jobs.ErrNoPlan},
		"unknown":       {func(s *jobs.Start) { s.Token = "0198c9a1-0000-7000-8000-000000000000" }, jobs.ErrNoPlan},
		"no token":      {func(s *jobs.Start) { s.Token = "*" }, jobs.ErrNoPlan},
		"expired":       {func(s *jobs.Start) { s.Token = expired.Token }, jobs.ErrNoPlan},
	} {
		s := start(plan)
		c.change(&s)
		if _, err := p.Start(t.Context(), s); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
	if _, err := p.Get(t.Context(), plan.Token); !errors.Is(err, jobs.ErrNoJob) {
		t.Errorf("a plan shows as a job: %v", err)
	}
	if _, err := p.Start(t.Context(), start(plan)); err != nil {
		t.Errorf("refusals used the plan up: %v", err)
	}
}

func TestListIsNewestFirst(t *testing.T) {
	t.Parallel()
	p := newBroker(t).idle("one", nil)
	var want []string
	for range 5 {
		want = append([]string{p.job(1).ID}, want...)
	}
	p.plan(1)
	list, err := p.List(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, job := range list {
		got = append(got, job.ID)
	}
	if diff := cmp.Diff(want[:3], got); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
}

func TestPrepareThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	p := newBroker(t).idle("one", nil)
	boom := errors.New("boom")
	for name, last := range map[string]struct {
		item jobs.Item
		err  error
	}{
		"broken off":    {nil, boom},
		"too long":      {make(jobs.Item, jobs.MaxItem+1), nil},
		"with two rows": {jobs.Item("a\nb"), nil},
	} {
		_, err := p.Prepare(t.Context(), jobs.Draft{Kind: kind}, func(yield func(jobs.Item, error) bool) {
			for item, err := range numbers(1000) {
				if !yield(item, err) {
					return
				}
			}
			yield(last.item, last.err)
		})
		if err == nil || last.err != nil && !errors.Is(err, last.err) || errors.Is(err, broker.ErrUnavailable) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if left := p.stored(); left != 0 {
		t.Errorf("%d keys are left", left)
	}
}

func TestLongQueryIsCutShort(t *testing.T) {
	t.Parallel()
	p := newBroker(t).idle("one", nil)
	query := append(append([]byte{'"'}, make([]byte, 1<<20)...), '"')
	plan, err := p.Prepare(t.Context(), jobs.Draft{Kind: kind, Query: query}, numbers(1))
	if err != nil || string(plan.Query) != `{"too_long":1048578}` {
		t.Errorf("query %.50s, error %v", plan.Query, err)
	}
}

func TestNothingGoesWithoutBroker(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	p := b.idle("one", nil)
	plan := p.plan(1)
	b.stop()
	_, prepare := p.Prepare(t.Context(), jobs.Draft{Kind: kind}, numbers(1))
	_, start := p.Start(t.Context(), start(plan))
	_, list := p.List(t.Context(), 1)
	_, get := p.Get(t.Context(), plan.Token)
	_, pause := p.Pause(t.Context(), plan.Token, "ann")
	_, watch := p.Watch(t.Context())
	for i, err := range []error{prepare, start, list, get, pause, watch} {
		if !errors.Is(err, broker.ErrUnavailable) {
			t.Errorf("call %d: error %v, want ErrUnavailable", i, err)
		}
	}
}
