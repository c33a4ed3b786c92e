package jobs

import (
	"context"
	"time"
)

// watchedFor is for how long after its end a job is still told to who begins
// to watch.
const watchedFor = time.Minute

// Watch returns the jobs that are not finished, or were within the last
// minute, and from then on every job that changes. A reader that is slow
// misses states in between, never the last. The channel is closed when ctx
// ends.
func (j *Jobs) Watch(ctx context.Context) (<-chan Job, error) {
	if _, err := j.records.all(ctx); err != nil {
		return nil, err
	}
	changes, out := make(chan record), make(chan Job)
	go func() {
		defer close(changes)
		j.records.follow(ctx, func(r record) {
			select {
			case changes <- r:
			case <-ctx.Done():
			}
		})
	}()
	go func() {
		defer close(out)
		relay(changes, out)
	}()
	return out, nil
}

// relay hands changes on as fast as they are read, the latest of each job.
func relay(changes <-chan record, out chan<- Job) {
	seen := map[string]uint64{}
	var waiting []record
	for {
		var next Job
		var ready chan<- Job
		if len(waiting) > 0 {
			next, ready = waiting[0].Job, out
		}
		select {
		case r, ok := <-changes:
			if !ok {
				return
			}
			if fresh(seen, r) {
				waiting = queue(waiting, r)
			}
		case ready <- next:
			waiting = waiting[1:]
		}
	}
}

// fresh reports whether a record is a job that is to be told.
func fresh(seen map[string]uint64, r record) bool {
	known := seen[r.ID]
	seen[r.ID] = r.revision
	return r.isJob() && r.revision > known &&
		(known > 0 || !r.State.Finished() || now().Sub(r.FinishedAt) < watchedFor)
}

func queue(waiting []record, r record) []record {
	for i := range waiting {
		if waiting[i].ID == r.ID {
			waiting[i] = r
			return waiting
		}
	}
	return append(waiting, r)
}
