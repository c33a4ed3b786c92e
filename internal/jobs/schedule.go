package jobs

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// lookEvery is how often it is looked whether an owner is gone.
const lookEvery = 500 * time.Millisecond

// Run works on jobs until ctx ends: those that nobody works on, and those
// whose owner is gone. Then it ends the batches under way and gives the leases
// back. It also removes plans that expired and jobs finished long ago.
func (j *Jobs) Run(ctx context.Context) error {
	var group errgroup.Group
	changes := make(chan record)
	group.Go(func() error {
		j.records.follow(ctx, func(r record) {
			select {
			case changes <- r:
			case <-ctx.Done():
			}
		})
		return nil
	})
	group.Go(func() error { j.sweepFrom(ctx); return nil })
	s := schedule{Jobs: j, seen: map[string]sighting{}, runs: map[string]chan struct{}{}, ended: make(chan string)}
	s.run(ctx, changes)
	return group.Wait()
}

// schedule decides which jobs this process works on.
type schedule struct {
	*Jobs
	seen  map[string]sighting      // jobs that are running, by id
	runs  map[string]chan struct{} // what wakes the work on those that this process works on
	ended chan string
}

// sighting is a record, and since when it has stood still: on this process's
// own clock, which is the only one that counts here.
type sighting struct {
	record
	since time.Time
}

func (s *schedule) run(ctx context.Context, changes <-chan record) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for ctx.Err() == nil {
		select {
		case r := <-changes:
			s.see(ctx, r)
		case id := <-s.ended:
			delete(s.runs, id)
		case <-look.C:
			for id := range s.seen {
				s.consider(ctx, id)
			}
		case <-ctx.Done():
		}
	}
	for len(s.runs) > 0 {
		delete(s.runs, <-s.ended)
	}
}

func (s *schedule) see(ctx context.Context, r record) {
	if known, ok := s.seen[r.ID]; ok && known.revision >= r.revision {
		return
	}
	if r.State == Running {
		s.seen[r.ID] = sighting{r, time.Now()}
	} else {
		delete(s.seen, r.ID)
	}
	if woken := s.runs[r.ID]; woken == nil {
		s.consider(ctx, r.ID)
	} else if r.State != Running || r.Owner != s.id {
		wake(woken)
	}
}

// consider starts to work on a job if nobody else does.
func (s *schedule) consider(ctx context.Context, id string) {
	r, running := s.seen[id]
	if _, here := s.runs[id]; here || !running || s.Works[r.Kind] == nil {
		return
	}
	if given := r.Owner == "" || r.Owner == s.id; !given && time.Since(r.since) < s.times.timeout {
		return
	}
	woken := make(chan struct{}, 1)
	s.runs[id] = woken
	go func() {
		s.work(ctx, r.record, woken)
		s.ended <- id
	}()
}
