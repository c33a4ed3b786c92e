package redisstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/internal/batcher"
	"github.com/logoutd/logoutd/store"
)

// fenceBatches let the fences of concurrent calls share round trips. Each server has a
// batcher of its own, so that one that hangs delays nobody else's fences.
type fenceBatches struct {
	send   func(context.Context, []*fence) error
	server func(context.Context, *fence) (string, error)

	mu       sync.Mutex
	batchers map[string]*batcher.Batcher[waitingFence] // by server
}

// waitingFence is a fence whose caller waits until ctx ends, at its deadline.
type waitingFence struct {
	*fence
	ctx context.Context
}

func newFenceBatches(s *Store) *fenceBatches {
	return &fenceBatches{send: s.fenceAll, server: s.serverOf, batchers: map[string]*batcher.Batcher[waitingFence]{}}
}

// close returns when nothing is on its way any more.
func (l *fenceBatches) close() {
	l.mu.Lock()
	all := slices.Collect(maps.Values(l.batchers))
	l.mu.Unlock()
	for _, b := range all {
		b.Close()
	}
}

// do does fences, and returns when all are done, or ctx ends: those that
// are, and why others are not.
func (l *fenceBatches) do(ctx context.Context, fences []*fence) (done map[*fence]bool, err error) {
	waiting := make([]<-chan error, len(fences))
	for i, f := range fences {
		server, err := l.server(ctx, f)
		if err != nil {
			failed := make(chan error, 1)
			failed <- err
			waiting[i] = failed
			continue
		}
		waiting[i] = l.to(server).Go(waitingFence{f, ctx})
	}
	done = make(map[*fence]bool, len(fences))
	for i, f := range fences {
		failure := await(ctx, waiting[i])
		if failure == nil {
			done[f] = true
		} else {
			err = failure
		}
	}
	return done, err
}

// await returns what becomes of a fence. One that is done counts also when ctx
// has ended.
func await(ctx context.Context, waiting <-chan error) error {
	select {
	case err := <-waiting:
		return err
	default:
	}
	select {
	case err := <-waiting:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", store.ErrUnavailable, ctx.Err())
	}
}

// to returns the batcher of a server.
func (l *fenceBatches) to(server string) *batcher.Batcher[waitingFence] {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.batchers[server]
	if b == nil {
		b = batcher.New(batcher.Config[waitingFence]{
			Do:       func(batch []waitingFence, _ func()) error { return l.fenceBatch(batch) },
			Take:     func(waiting []waitingFence) int { return min(len(waiting), chunkSize) },
			InFlight: abreast,
		})
		l.batchers[server] = b
	}
	return b
}

// fenceBatch does a batch for as long as one of its callers waits. It leaves out
// those who have given up already.
func (l *fenceBatches) fenceBatch(batch []waitingFence) error {
	var last time.Time
	var fences []*fence
	for _, f := range batch {
		if f.ctx.Err() != nil {
			continue
		}
		fences = append(fences, f.fence)
		if deadline, _ := f.ctx.Deadline(); deadline.After(last) {
			last = deadline
		}
	}
	ctx, cancel := context.WithDeadline(context.Background(), last)
	defer cancel()
	return l.send(ctx, fences)
}

// serverOf names the server that does a fence; "" is the only one.
func (s *Store) serverOf(ctx context.Context, f *fence) (string, error) {
	if !s.isCluster() {
		return "", nil
	}
	key := keyOf(f.User).cutoff()
	if f.SessionID != "" {
		key = sessionKey(f.SessionID)
	}
	master, err := s.client.(*redis.ClusterClient).MasterForKey(ctx, key)
	if err != nil {
		return "", s.unavailable(err)
	}
	return master.Options().Addr, nil
}
