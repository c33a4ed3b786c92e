package jobs_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/logoutd/logoutd/internal/jobs"
)

// gate lets a test hold one batch.
type gate struct {
	batch        int
	reached, let chan struct{}
}

func newGate(batch int) *gate {
	return &gate{batch, make(chan struct{}), make(chan struct{})}
}

func (g *gate) before(ctx context.Context, batch int) error {
	if batch != g.batch {
		return nil
	}
	close(g.reached)
	select {
	case <-g.let:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestPauseCountsTheBatchUnderWay(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	g := newGate(3)
	one := b.process("one", newWork(g.before))
	console := b.idle("console", nil)
	job := one.job(1000)
	<-g.reached
	job, err := console.Pause(t.Context(), job.ID, "ann")
	if err != nil || job.State != jobs.Paused || job.LastActionBy != "ann" {
		t.Fatalf("%+v, error %v", job, err)
	}
	close(g.let)
	job = console.until(job.ID, func(j jobs.Job) bool { return j.Owner == "" })
	if job.State != jobs.Paused || job.Position != 300 || job.Counts["done"] != 300 || job.PerSecond != 0 {
		t.Errorf("%+v, want it paused with three batches counted", job)
	}
	if _, err := console.Pause(t.Context(), job.ID, "ann"); !errors.Is(err, jobs.ErrState) {
		t.Errorf("paused twice: %v", err)
	}
	one.stop()
	two := b.process("two", newWork(nil))
	if _, err := console.Resume(t.Context(), job.ID, "bob"); err != nil {
		t.Fatal(err)
	}
	job = console.until(job.ID, is(jobs.Done))
	expectOnce(t, 1000, one.work, two.work)
	if job.Counts["done"] != 1000 || job.LastActionBy != "bob" {
		t.Errorf("%+v", job)
	}
	if got := console.changesSeen(); got != "running>paused paused>running" {
		t.Errorf("the console was told of %q", got)
	}
	two.stop()
	if got := two.changesSeen(); got != "running>done" {
		t.Errorf("the process that finished was told of %q", got)
	}
}

func TestPauseInterruptsTheRate(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	one := b.process("one", newWork(nil))
	s := start(one.plan(10))
	s.Rate = 0.001
	job, err := one.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	one.until(job.ID, func(j jobs.Job) bool { return j.Owner != "" })
	if _, err := one.Pause(t.Context(), job.ID, "ann"); err != nil {
		t.Fatal(err)
	}
	one.until(job.ID, func(j jobs.Job) bool { return j.Owner == "" })
	expectOnce(t, 0, one.work)
}

func TestCancel(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	g := newGate(2)
	one := b.process("one", newWork(g.before))
	job := one.job(1000)
	<-g.reached
	if _, err := one.Cancel(t.Context(), job.ID, "ann"); err != nil {
		t.Fatal(err)
	}
	close(g.let)
	job = one.until(job.ID, func(j jobs.Job) bool { return j.Owner == "" })
	if job.State != jobs.Cancelled || job.Position != 200 || job.FinishedAt.IsZero() || job.Counts["done"] != 200 {
		t.Errorf("%+v, want it cancelled with two batches counted", job)
	}
	for name, again := range map[string]func(context.Context, string, string) (jobs.Job, error){
		"pause": one.Pause, "resume": one.Resume, "cancel": one.Cancel,
	} {
		if _, err := again(t.Context(), job.ID, "ann"); !errors.Is(err, jobs.ErrState) {
			t.Errorf("%s after the end: %v", name, err)
		}
		if _, err := again(t.Context(), "none", "ann"); !errors.Is(err, jobs.ErrNoJob) {
			t.Errorf("%s of none: %v", name, err)
		}
	}
	if _, err := one.Start(t.Context(), jobs.Start{Token: job.ID, Kind: kind, Reason: "again"}); !errors.Is(err, jobs.ErrStarted{JobID: job.ID}) {
		t.Errorf("started again: %v", err)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	p := b.idle("one", nil)
	runner := b.process("runner", newWork(nil))
	kept, expired, old := p.plan(500), p.plan(500), p.job(500)
	p.until(old.ID, func(j jobs.Job) bool { return j.State == jobs.Done && j.Owner == "" })
	runner.stop()
	if err := p.Sweep(); err != nil {
		t.Fatal(err)
	}
	// What is left: three records and the items of two plans.
	if got := p.stored(); got != 3+2*3 {
		t.Errorf("%d keys are stored", got)
	}
	for id, age := range map[string]time.Duration{expired.Token: 2 * time.Hour, old.ID: 91 * 24 * time.Hour} {
		if err := p.Age(t.Context(), id, age); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Sweep(); err != nil {
		t.Fatal(err)
	}
	if got := p.stored(); got != 1+3 {
		t.Errorf("%d keys are stored", got)
	}
	if _, err := p.Start(t.Context(), start(kept)); err != nil {
		t.Errorf("a plan that had not expired: %v", err)
	}
}
