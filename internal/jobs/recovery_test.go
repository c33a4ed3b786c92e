package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/store"
)

func TestKilledProcessIsReplaced(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	g := newGate(4)
	one := b.process("one", newWork(g.before))
	job := one.job(2000)
	<-g.reached
	one.kill()
	two := b.process("two", newWork(nil))
	close(g.let) // the batch is done, and cannot be counted
	job = two.until(job.ID, is(jobs.Done))
	if job.Counts["done"] != 2000 || job.Position != 2000 {
		t.Errorf("%+v", job)
	}
	expect(t, 2000, 100, one.work, two.work)
	if !two.work.again[0] || two.work.again[1] {
		t.Errorf("batches that may have been done before: %t", two.work.again[:2])
	}
	if first := two.work.batches[0][0]; first != "300" {
		t.Errorf("it goes on with item %s", first)
	}
}

// TestStopGivesBack: with a lease that lasts, and no time to wait for its end.
func TestStopGivesBack(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.quick = 1
	g := newGate(2)
	one := b.process("one", newWork(g.before))
	job := one.job(1000)
	<-g.reached
	two := b.process("two", newWork(nil))
	close(g.let)
	one.stop()
	two.until(job.ID, is(jobs.Done))
	expectOnce(t, 1000, one.work, two.work)
	for _, again := range two.work.again {
		if again {
			t.Error("a batch may have been done before, although the lease was given back")
		}
	}
}

// TestStopInterruptsLongWork: what was begun is begun again, as that.
func TestStopInterruptsLongWork(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.quick = 1
	g := newGate(2) // nobody opens it
	one := b.process("one", newWork(g.before))
	job := one.job(300)
	<-g.reached
	one.stop()
	two := b.process("two", newWork(nil))
	job = two.until(job.ID, is(jobs.Done))
	expectOnce(t, 300, one.work, two.work)
	if job.Counts["done"] != 300 || !two.work.again[0] || two.work.again[1] {
		t.Errorf("%+v, again %t", job, two.work.again)
	}
}

func TestOneProcessAtATime(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	busy := make(chan struct{}, 1)
	alone := func(context.Context, int) error {
		select {
		case busy <- struct{}{}:
			<-busy
			return nil
		default:
			return errors.New("another process is at work")
		}
	}
	processes := []*process{b.process("one", newWork(alone)), b.process("two", newWork(alone)), b.process("three", newWork(alone))}
	job := processes[0].job(5000)
	for i, p := range processes[:2] {
		p.until(job.ID, func(j jobs.Job) bool { return j.Position >= 1000*(i+1) })
		p.stop()
	}
	job = processes[2].until(job.ID, finished)
	if job.State != jobs.Done {
		t.Errorf("%+v", job)
	}
	expectOnce(t, 5000, processes[0].work, processes[1].work, processes[2].work)
}

// TestLongWorkKeepsTheJob: longer than a lease lasts without being renewed.
func TestLongWorkKeepsTheJob(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	g := newGate(2)
	one := b.process("one", newWork(g.before))
	job := one.job(300)
	<-g.reached
	two := b.process("two", newWork(nil))
	job = two.until(job.ID, func(j jobs.Job) bool { return j.UpdatedAt.Sub(j.CreatedAt) > jobs.LeaseTimeout/5 })
	close(g.let)
	two.until(job.ID, is(jobs.Done))
	expectOnce(t, 300, one.work)
}

func TestBrokerAway(t *testing.T) {
	t.Parallel()
	for name, long := range map[string]bool{"for a moment": false, "until the lease is over": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBroker(t)
			g, interrupted := newGate(3), make(chan struct{})
			one := b.process("one", newWork(func(ctx context.Context, batch int) error {
				err := g.before(ctx, batch)
				if err != nil {
					close(interrupted)
				}
				return err
			}))
			job := one.job(2000)
			<-g.reached
			two := b.process("two", newWork(nil))
			b.stop()
			if long {
				<-interrupted
			} else {
				close(g.let)
			}
			b.start()
			job = one.until(job.ID, finished)
			if job.State != jobs.Done || job.Counts["done"] != 2000 {
				t.Errorf("%+v", job)
			}
			expect(t, 2000, 100, one.work, two.work)
		})
	}
}

func TestWorkThatIsHeldUpIsDoneAgain(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{broker.ErrUnavailable, store.ErrUnavailable} {
		b := newBroker(t)
		shown := make(chan struct{})
		p := b.process("one", newWork(func(ctx context.Context, batch int) error {
			switch batch {
			case 2:
				return fmt.Errorf("working: %w", cause)
			case 3: // a second time
				<-shown
			}
			return nil
		}))
		job := p.job(500)
		job = p.until(job.ID, func(j jobs.Job) bool { return j.Error != "" })
		if job.State != jobs.Running || job.Position != 100 || job.Counts["done"] != 100 || job.PerSecond != 0 {
			t.Errorf("%+v, want it running with nothing counted", job)
		}
		close(shown)
		job = p.until(job.ID, is(jobs.Done))
		expectOnce(t, 500, p.work)
		if job.Error != "" || job.Counts["done"] != 500 || !p.work.again[1] || p.work.again[2] {
			t.Errorf("%+v, again %t", job, p.work.again)
		}
	}
}

func TestWorkThatFails(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	p := b.process("one", newWork(func(_ context.Context, batch int) error {
		if batch == 2 {
			return errors.New("nobody can do this")
		}
		return nil
	}))
	job := p.job(500)
	job = p.until(job.ID, func(j jobs.Job) bool { return j.State == jobs.Failed && j.Owner == "" })
	if job.Error != "nobody can do this" || job.Position != 100 || job.FinishedAt.IsZero() {
		t.Errorf("%+v", job)
	}
	if _, err := p.Resume(t.Context(), job.ID, "ann"); err != nil {
		t.Fatal(err)
	}
	job = p.until(job.ID, is(jobs.Done))
	expectOnce(t, 500, p.work)
	if job.Error != "" || !p.work.again[1] {
		t.Errorf("%+v, again %t", job, p.work.again)
	}
	p.stop()
	if got := p.changesSeen(); got != ">running running>failed failed>running running>done" {
		t.Errorf("told of %q", got)
	}
}

func TestUnknownKindIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	stranger := b.process("stranger", nil)
	job := stranger.job(10)
	two := b.process("two", newWork(nil))
	two.until(job.ID, is(jobs.Done))
	expectOnce(t, 10, two.work)
}
