package redisstore

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// lanes carry the fences of concurrent calls together: those that arrive while
// a few groups are on their way form the next one. There is no timer: a lone
// caller never waits for company. Each server has a lane of its own, so that one
// that hangs holds up nobody else's.
type lanes struct {
	send   func(context.Context, []*fence) error
	server func(context.Context, *fence) (string, error)

	mu      sync.Mutex
	lanes   map[string]*lane // by server
	flights sync.WaitGroup
}

// lane is what waits for one server.
type lane struct {
	waiting []passenger
	flights int // on their way: abreast at most
}

// passenger is a fence, whose caller waits until ctx ends: at its deadline.
type passenger struct {
	*fence
	ctx    context.Context
	landed chan<- landing
}

// landing tells that a fence is done, with the error of the whole call.
type landing struct {
	*fence
	err error
}

func newLanes(s *Store) *lanes {
	return &lanes{send: s.fenceAll, server: s.serverOf, lanes: map[string]*lane{}}
}

// wait returns when nothing is on its way any more.
func (l *lanes) wait() { l.flights.Wait() }

// carry does fences, and returns when all are done, or ctx ends: those that
// are, and why others are not.
func (l *lanes) carry(ctx context.Context, fences []*fence) (done map[*fence]bool, err error) {
	landed := make(chan landing, len(fences))
	for _, f := range fences {
		server, err := l.server(ctx, f)
		if err != nil {
			landed <- landing{f, err}
			continue
		}
		l.board(server, passenger{f, ctx, landed})
	}
	done = make(map[*fence]bool, len(fences))
	for range fences {
		select {
		case came := <-landed:
			if came.err != nil {
				err = came.err
			} else {
				done[came.fence] = true
			}
		case <-ctx.Done():
			return done, fmt.Errorf("%w: %w", store.ErrUnavailable, ctx.Err())
		}
	}
	return done, err
}

func (l *lanes) board(server string, p passenger) {
	l.mu.Lock()
	defer l.mu.Unlock()
	to := l.lanes[server]
	if to == nil {
		to = &lane{}
		l.lanes[server] = to
	}
	to.waiting = append(to.waiting, p)
	if to.flights < abreast {
		to.flights++
		l.flights.Go(func() { l.run(to) })
	}
}

// run takes group after group until nobody waits.
func (l *lanes) run(from *lane) {
	for {
		group := l.next(from)
		if len(group) == 0 {
			return
		}
		l.fly(group)
	}
}

func (l *lanes) next(from *lane) []passenger {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(from.waiting), chunkSize)
	group := from.waiting[:n:n]
	if from.waiting = from.waiting[n:]; len(from.waiting) == 0 {
		from.waiting = nil
	}
	if n == 0 {
		from.flights--
	}
	return group
}

// fly does a group, as long as one of its callers waits. Those who have given
// up already are left behind.
func (l *lanes) fly(group []passenger) {
	group = slices.DeleteFunc(group, func(p passenger) bool { return p.ctx.Err() != nil })
	ctx, cancel := lastOf(group)
	defer cancel()
	fences := make([]*fence, len(group))
	for i, p := range group {
		fences[i] = p.fence
	}
	err := l.send(ctx, fences)
	for _, p := range group {
		p.landed <- landing{p.fence, err}
	}
}

// lastOf ends when the last of a group has given up.
func lastOf(group []passenger) (context.Context, context.CancelFunc) {
	var last time.Time
	for _, p := range group {
		if deadline, _ := p.ctx.Deadline(); deadline.After(last) {
			last = deadline
		}
	}
	return context.WithDeadline(context.Background(), last)
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
