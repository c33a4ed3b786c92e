package overview

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/logoutd/logoutd/internal/jobs"
)

// running counts the jobs that run, by following what changes.
type running struct {
	jobs     *jobs.Jobs
	followed bool
	n        atomic.Int64
	follower sync.WaitGroup
}

// count returns how many there are. It begins to follow them where nobody
// does, until ctx ends.
func (r *running) count(ctx context.Context) (int, error) {
	if r.jobs != nil && !r.followed {
		changes, err := r.jobs.Watch(ctx)
		if err != nil {
			return 0, err
		}
		r.followed = true
		r.follower.Go(func() { r.follow(changes) })
	}
	return int(r.n.Load()), nil
}

func (r *running) follow(changes <-chan jobs.Job) {
	ids := map[string]bool{}
	for job := range changes {
		if job.State == jobs.Running {
			ids[job.ID] = true
		} else {
			delete(ids, job.ID)
		}
		r.n.Store(int64(len(ids)))
	}
}

// wait returns once nobody follows any more; the context has ended.
func (r *running) wait() { r.follower.Wait() }
