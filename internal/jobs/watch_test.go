package jobs_test

import (
	"context"
	"testing"

	"github.com/logoutd/logoutd/internal/jobs"
)

func TestWatch(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	g := newGate(3)
	p := b.process("one", newWork(g.before))
	console := b.idle("console", nil)
	first := p.job(1)
	p.until(first.ID, is(jobs.Done))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	changes, err := console.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if job := <-changes; job.ID != first.ID || job.State != jobs.Done {
		t.Errorf("%+v, want the job that was just finished", job)
	}
	p.plan(1) // is none yet
	second := p.job(400)
	<-g.reached
	b.stop()
	b.start()
	close(g.let)
	last := jobs.Job{}
	for last.State != jobs.Done {
		job := <-changes
		if job.ID != second.ID && job.ID != first.ID {
			t.Errorf("%+v, want a job that was started", job)
		}
		if job.ID == second.ID {
			if job.Position < last.Position {
				t.Errorf("from %d back to %d", last.Position, job.Position)
			}
			last = job
		}
	}
	cancel()
	for range changes {
	}
}
